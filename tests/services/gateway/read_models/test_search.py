"""Terms: what a query gives the beginning of, and a client is found by."""

import pytest

from services.gateway.read_models.search import client_terms, query_terms

NAMES = {
    "renee": "Rene\u0301e Dubois",
    "Angstro\u0308m": "Zoë Ångström",
    "STRASSE": "Anna Straße",
    "soren": "Søren Łukasiewicz",
    "łukas": "Soren Lukasiewicz",
    "jane": "Mary-Jane Watson",
    "mary-jane": "Mary Jane Watson",
    "mary\u2011jane": "Mary-Jane Watson",
    "o'malley": "O\u2019Malley Pat",
    "o\u2019malley": "O'Malley Pat",
    "omalley": "O\u00b4Malley Pat",
    "buyer": "Anna (Buyer)",
    "(buyer)": "Anna Buyer",
    "smith.": "Anna Smith",
}
PHONES = (
    *("+1 (555) 010-7788", "555.010.7788", "1-555-010-7788", "5550107788", "(555) 010 7788"),
    *("+15550107788", "555\u2013010\u20137788", "+1 555 010 7788 x12", "٥٥٥٠١٠٧٧٨٨"),
)


def found(q: str, **fields: str) -> bool:
    whole = dict.fromkeys(("name", "email", "address", "phone")) | fields
    terms = query_terms(q)
    assert terms
    stored = client_terms(**whole)
    return all(any(one.startswith(either) for one in stored) for either in terms)


@pytest.mark.parametrize(("q", "name"), NAMES.items())
def test_names_are_found_with_and_without_accents_hyphens_and_apostrophes(
    q: str, name: str
) -> None:
    assert found(q, name=name)
    assert not found(q, name="Bo Tanaka")


@pytest.mark.parametrize("stored", PHONES)
@pytest.mark.parametrize("q", [*PHONES, "0107788", "010-7788", "7788"])
def test_phones_are_found_in_any_spelling(q: str, stored: str) -> None:
    assert found(q, phone=stored)
    assert not found(q, phone="+1 555 010 7999")


@pytest.mark.parametrize(
    ("q", "stored"),
    [
        *(("020 7946 0958", "+44 (0)20 7946 0958"), ("+49 151 23456789", "0151/23456789")),
        *(("+65 6123 4567", "6123 4567"), ("030 123456", "+49 30 123456")),
        ("0044 20 7946 0958", "+44 20 7946 0958"),
    ],
)
def test_phones_are_found_with_a_country_s_code_and_without(q: str, stored: str) -> None:
    assert found(q, phone=stored)
    assert found(stored, phone=q)


@pytest.mark.parametrize(
    ("q", "field", "stored"),
    [
        ("62701-1234", "address", "12 Main St, Springfield, IL 62701-1234"),
        (
            "12 Main St, Springfield, IL 62701-1234",
            "address",
            "12 Main St, Springfield, IL 62701-1234",
        ),
        ("12345-12347 Oak", "address", "12345-12347 Oak Ave"),
        ("5559998877", "email", "5559998877@txt.example"),
        ("kaohu", "name", "Ka\u02bbohu Kealoha"),
        ("ka'ohu", "name", "Ka\u02bbohu Kealoha"),
    ],
)
def test_digits_are_words_too_and_okinas_are_apostrophes(q: str, field: str, stored: str) -> None:
    assert found(q, **{field: stored})


@pytest.mark.parametrize(
    "q", ["pat", "pat.doe", "doe@mail", "mail.example", "@mail.example.com", "pat.doe@mail.example"]
)
def test_an_email_is_found_by_its_parts(q: str) -> None:
    assert found(q, email="pat.doe@mail.example.com")
    assert not found(q, email="bo@post.example.org")


def test_the_part_after_the_at_is_found_however_long_the_one_before_is() -> None:
    assert found("mail.example", email="a.b.c.d.e.f.g.h.i.j.k@mail.example.com")


def test_a_house_number_is_a_word() -> None:
    assert query_terms("12 Elm, 62701") == [("12",), ("elm",), ("62701",)]
    assert found("12 elm", address="12 Elm Street, Springfield 62701")


@pytest.mark.parametrize("q", ["", "  ", "()", "-", "'", ".*"])
def test_punctuation_is_no_term(q: str) -> None:
    assert query_terms(q) == []


def test_no_term_begins_with_another_but_the_address_that_duplicates_are_found_by() -> None:
    terms = client_terms("pat@mail.example.com", "pat@mail.example", "Pat Street", "+1 555 0100")
    assert "pat@mail.example" in terms
    shown = [one for one in terms if one != "pat@mail.example"]
    assert not [
        (one, other) for one in shown for other in terms if one != other and other.startswith(one)
    ]
