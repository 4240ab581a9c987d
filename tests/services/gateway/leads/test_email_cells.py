"""Whatever people put around, between or instead of the signs of an address, it is found."""

import pytest

from services.gateway.leads.words.email_cells import emails_in
from services.gateway.leads.words.vocabulary import meaning_of


@pytest.mark.parametrize(
    ("cell", "addresses"),
    [
        ("a@x.example", ["a@x.example"]),
        ("b@x.example;", ["b@x.example"]),
        ("a@x.example, b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example/b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example & b@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example a@x.example", ["a@x.example"]),
        ("Ann <a@x.example>", ["a@x.example"]),
        ("mailto:a@x.example", ["a@x.example"]),
        ("'a@x.example'", ["a@x.example"]),
        ("a@x.example*", ["a@x.example"]),
        ("a @ x.example", ["a@x.example"]),
        ("a@x.example\u200b", ["a@x.example"]),
        ("\uff41\uff20x.example", ["a@x.example"]),
        # Signs that are part of it.
        ("Ann <o'malley@x.example>", ["o'malley@x.example"]),
        ("x/y&z@x.example", ["x/y&z@x.example"]),
    ],
)
def test_addresses_are_found(cell: str, addresses: list[str]) -> None:
    assert emails_in(cell) == (addresses, "")


@pytest.mark.parametrize("cell", ["no email", "@x.example", "a@", "a@@x.example", "a@x..example"])
def test_what_is_none_is_told(cell: str) -> None:
    found, why = emails_in(cell)
    assert not found
    assert "is no email address" in why


EMAILS = """
Email; EMAIL; E-Mail; E mail; Mail; email_address; EmailAddress; emailaddress; E-mail 1 - Value;
Email (Primary); Email - Primary; Primary Contact Email 1; Your Email; Buyer Email; leadEmail;
Email Address (required); Person - Email - Work; Correo electrónico; Correo principal;
E-Mail privat; Dirección de correo electrónico; E-Mail-Adresse geschäftlich; E-Mail 1 - Wert
"""
PHONES = """
Phone; Mobile; Cell; HomePhone; homephone; Phone (mobile); Telephone Number; Tel.; Handynummer;
Telefon geschäftlich; Teléfono móvil; Mobiltelefonnummer; Business Phone; Phone 1 - Value
"""
NEITHER = """
Email Status; Email Type; E-Mail 1 - Label; Email Opt Out; EMAIL_BLACKLISTED; Spouse Email; Fax;
Agent Email; Phone 1 - Label; Phone Type; Home; Number; Street Number
"""


@pytest.mark.parametrize(
    ("titles", "meaning"), [(EMAILS, ("email", 0)), (PHONES, ("phone", 0)), (NEITHER, None)]
)
def test_titles_of_addresses_and_phones_are_known(
    titles: str, meaning: tuple[str, int] | None
) -> None:
    found = {title: meaning_of(" ".join(title.split())) for title in titles.split(";")}
    assert {title: found for title, found in found.items() if found != meaning} == {}
