"""What a composition may be, and how it is signed."""

import pytest
from pydantic import ValidationError

from services.composer.signature import signed
from services.composer.writer import Composition
from tests.services.composer.writers.requests import DANA


def test_a_composition_is_cleaned_of_what_cannot_be_read() -> None:
    letter = Composition(subject=" Hi\r\nBcc: all@x\x00 ", body="One\r\n\r\n\r\nTwo\u202e\x07")
    assert letter == Composition(subject="Hi Bcc: all@x", body="One\n\nTwo")


@pytest.mark.parametrize(
    ("subject", "body"),
    [("", "b"), ("\r\n", "b"), ("s" * 151, "b"), ("s", ""), ("s", "\n\x00"), ("s", "b" * 5001)],
)
def test_a_composition_that_is_empty_or_endless_is_refused(subject: str, body: str) -> None:
    with pytest.raises(ValidationError):
        Composition(subject=subject, body=body)


def test_the_answer_format_stays_inside_what_strict_mode_accepts() -> None:
    assert "Length" not in str(Composition.model_json_schema())


def test_an_agent_signs_with_the_own_signature_or_with_the_profile() -> None:
    assert signed("Hi", DANA) == "Hi\n\nBest regards,\nDana Reed\nHarbor Realty"
    own = DANA.model_copy(update={"signature": "Cheers,\r\nD."})
    assert signed("Hi", own) == "Hi\n\nCheers,\nD."
