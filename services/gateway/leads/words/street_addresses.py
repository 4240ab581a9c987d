"""One address from columns of its parts, whatever they are called. Pure."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from services.gateway.leads.words.vocabulary import key, keys

# The parts in the order in which they are written; a title may name whose they are before.
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "street": keys(
        "Street Address, Street Address Line 1, Street Address 1, Street, Address,"
        " Addr, Address Line 1, Address1, Street 1, Line 1, Full Address, Street and Number,"
        " Straße, Straße und Hausnummer, Straße und Nr, Strasse, Anschrift, Adresse, Calle,"
        " Calle y número, Calle y numero, Dirección, Direccion, Domicilio"
    ),
    "number": keys("House Number, Street Number, Hausnummer, Haus-Nr"),
    "more": keys(
        "Street Address Line 2, Street Address 2, Address Line 2, Address2, Street 2, Line 2, Unit,"
        " Unit Number, Apt, Apartment, Apt/Unit, Suite, Address Unit"
    ),
    "city": keys("City, Town, Ort, Stadt, Wohnort, Ciudad, Localidad, Municipio"),
    "state": keys("State, State/Region, State/Province, Province, Region, Bundesland, Provincia"),
    "code": keys(
        "Zip, Zip Code, Zip/Postal Code, Postal Code, Postcode, PLZ, Postleitzahl, Código postal,"
        " Codigo postal, CP"
    ),
}
_PART_OF: Final = {word: part for part, words in _PARTS.items() for word in words}
# The owner of an address whose columns somebody has named.
MAPPED: Final = "mapped"
# The address of the property itself comes before where the client lives.
_FIRST: Final = (
    *(MAPPED, "property", "listing", "", "mailing", "home", "primary", "address1", "address"),
)
_OWNERS = re.compile(
    r"property|listing|immobilien|objekt|mailing|home|primary|billing|business|work|other|current"
    r"|contact|person(?:postal)?|address\d?|shipping|office|private?|residential|street|client"
)


class AddressColumn(NamedTuple):
    """Whose address a column is about, and which part of it."""

    owner: str
    part: str

    @property
    def rank(self) -> int:
        """How much this address is the one that counts; 0 is most."""
        return _FIRST.index(self.owner) if self.owner in _FIRST else len(_FIRST)


def address_column(title: str) -> AddressColumn | None:
    """Return what a column with this title says of an address."""
    word = key(title)
    if word == key("Address of Property"):
        return AddressColumn("property", "street")
    if part := _PART_OF.get(word):
        return AddressColumn("", part)
    for known, part in _PART_OF.items():
        for owner in (word.removesuffix(known), word.removeprefix(known)):
            if owner != word and _OWNERS.fullmatch(owner):
                return AddressColumn(owner, part)
    return None


def one_line(parts: Mapping[str, str]) -> str:
    """Join the parts that are filled; nothing without a street."""
    if not (line := parts.get("street", "")):
        return ""
    if number := parts.get("number"):
        line = f"{line} {number}"
    if (more := parts.get("more", "")) and not _ends_with(line, more):
        line = f"{line}, {more}"
    city, code = parts.get("city", ""), parts.get("code", "")
    # Many a sheet has the whole address in the street's column, and the city again.
    if (code and _ends_with(line, code)) or (city and _has_component(line, city)):
        return line
    region = f"{parts.get('state', '')} {code}".strip()
    return ", ".join(filter(None, (line, city, region)))


def _has_component(line: str, city: str) -> bool:
    after = (f"{part.strip()} ".casefold() for part in line.split(",")[1:])
    return any(part.startswith(f"{city} ".casefold()) for part in after)


def _ends_with(line: str, part: str) -> bool:
    return f" {line.casefold()}".endswith((f" {part.casefold()}", f",{part.casefold()}"))
