"""The address of a letter's replies names the letter, and nobody else can write one."""

import random
import string
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.links.replies import ReplyAddresses

KEYS = {"b": "b" * 32, "a": "a" * 32}
ADDRESSES = ReplyAddresses(KEYS, "Replies.Reed.example")


@given(st.uuids())
def test_it_names_the_letter_in_any_case_and_fits_into_a_mail(email_id: UUID) -> None:
    address = ADDRESSES.of(email_id)
    assert ADDRESSES.email_of(address) == email_id
    assert ADDRESSES.email_of(address.upper()) == email_id
    local, _, domain = address.partition("@")
    # RFC 5321, 4.5.3.1.1.
    assert len(local) <= 64
    assert domain == "replies.reed.example"


def test_one_of_an_earlier_key_is_known_until_the_key_is_removed() -> None:
    earlier = ReplyAddresses({"a": KEYS["a"]}, "replies.reed.example").of(email_id := uuid4())
    assert ADDRESSES.email_of(earlier) == email_id
    assert ReplyAddresses({"b": KEYS["b"]}, "replies.reed.example").email_of(earlier) is None


def test_none_of_a_thousand_forged_ones_is_known() -> None:
    seed = random.Random(18)
    address = ADDRESSES.of(uuid4())
    letters = string.ascii_lowercase + string.digits
    for _ in range(1000):
        at = seed.randrange(len("r-"), address.index("@"))
        forged = address[:at] + seed.choice(letters) + address[at + 1 :]
        assert forged == address or ADDRESSES.email_of(forged) is None
    others = ReplyAddresses({"c": "c" * 32}, "replies.reed.example").of(uuid4())
    assert ADDRESSES.email_of(others) is None
    assert ADDRESSES.email_of(address.replace("reed", "weed")) is None


@given(st.text(max_size=80))
def test_any_other_text_is_none(text: str) -> None:
    assert ADDRESSES.email_of(text) is None
    assert ADDRESSES.email_of(f"r-{text}@replies.reed.example") is None
