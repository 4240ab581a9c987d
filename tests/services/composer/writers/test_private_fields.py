"""What never reaches the model of what agents type."""

from typing import Any

import pytest

from services.composer.writers.private_fields import shareable_fields, shareable_text

PRIVATE: dict[str, Any] = {
    "Email 2": "jo@second.example",
    "email2": "-",
    "E-mail": "none",
    "workEmail": "x",
    "Phone 2": "512 555 0142",
    "Mobile": "n/a",
    "cell_phone": 5125550142,
    "Birthday": "May 5",
    "Date of birth": "unknown",
    "DOB": "1/2/80",
    "Record ID": "abc",
    "recordId": 7,
    "ID": 7,
    "Passport no.": "X",
    "Account": "9",
    "SSN": "x",
    "Contact": "jo@second.example",
    "Spouse": "Jo, (512) 555-0142",
    "Other": "+49 30 5550 108",
    "Old number": "555-0142",
    "Code": "123-45-6789",
    "Key": "550e8400-e29b-41d4-a716-446655440000",
    "Reference": "00Q5f00000ABCdeEAH",
    "CRM": 402812345678,
    "Celebrates": "March 3, 1984",
    "Celebrates too": "1984-03-03",
    "More": {"phone": "x"},
    "Even more": [{"note": "call 512-555-0142"}],
    "jo@second.example": "yes",
}
SHAREABLE: dict[str, Any] = {
    "source": "Open house",
    "budget": "$480,000",
    "Price": "1,400,000",
    "max price": 750000,
    "Bedrooms": 3,
    "Move date": "2027-05-01",
    "Idea": "a yard for two dogs",
    "Mailing list": "monthly",
    "Zip": "78704-1234",
    "Preferred contact": "evenings",
    "Year built": 1962,
    "Tags": ["condo", "downtown"],
    "Lot": {"acres": 2},
}


@pytest.mark.parametrize("name", PRIVATE)
def test_a_field_that_reaches_or_identifies_a_person_is_left_out(name: str) -> None:
    assert shareable_fields({name: PRIVATE[name]}) == {}


@pytest.mark.parametrize("name", SHAREABLE)
def test_what_helps_to_write_a_letter_stays(name: str) -> None:
    assert shareable_fields({name: SHAREABLE[name]}) == {name: str(SHAREABLE[name])}


def test_notes_lose_what_reaches_a_person_and_keep_the_rest() -> None:
    notes = "Wants 40 acres by 2027. Call 512-555-0142 or write jo@second.example, born 3/3/1984."
    assert shareable_text(notes) == "Wants 40 acres by 2027. Call … or write …, born …."
    assert shareable_text(None) is None
