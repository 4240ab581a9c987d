"""What the cells of a record say of a client, however they are written. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.leads.columns import IGNORED, OPT_OUT, Columns
from services.gateway.leads.words.email_cells import emails_in
from services.gateway.leads.words.locales import language_in, review_in, zone_in
from services.gateway.leads.words.street_addresses import one_line

# Google writes several values into one cell this way.
_SEVERAL: Final = ":::"


@dataclass(frozen=True)
class Cells:
    """What a record says, by meaning and in the file's own terms; empty where it says nothing.

    `no_email`: why it has none.
    """

    name: str
    email: str
    no_email: str
    phone: str
    property_address: str
    property_type: str
    stages: tuple[str, ...]
    notes: str
    greeting: str
    language: str
    time_zone: str
    source: str
    lead_since: str
    review: str
    sequence: str
    says_no: bool
    custom_fields: Mapping[str, Any]


def read(columns: Columns, cells: Sequence[str], *, day_in: Callable[[str], str]) -> Cells:
    """Sort a record's cells by meaning; what means nothing here is a custom field."""
    row = _Row(columns, cells)
    says_no = row.take_refusals()
    email, no_email = row.take_email()
    return Cells(
        name=row.take_name(),
        email=email,
        no_email=no_email,
        phone=row.take_split("phone"),
        property_address=row.take_address(),
        property_type=row.take_first("property_type"),
        stages=tuple(row.take_all("stage")),
        notes="\n".join(row.take_all("notes")),
        greeting=row.take_first("greeting"),
        language=row.take_known("language", language_in),
        time_zone=row.take_known("time_zone", zone_in),
        source=row.take_first("source"),
        lead_since=row.take_known("lead_since", day_in),
        review=row.take_known("review", review_in),
        sequence=row.take_first("sequence"),
        says_no=says_no,
        custom_fields=row.take_object("custom_fields") | row.rest(),
    )


def split(cell: str) -> list[str]:
    """Return the values of a cell: several only where its writer says so."""
    return [part for value in cell.split(_SEVERAL) if (part := value.strip())]


def _has_words(text: str, words: str) -> bool:
    return set(words.casefold().split()) <= set(text.casefold().split())


class _Row:
    """The filled cells of a record by column, each taken once."""

    def __init__(self, columns: Columns, cells: Sequence[str]) -> None:
        self._columns = columns
        ignored = columns.column(IGNORED)
        self._left = {i: cell for i, cell in enumerate(cells) if cell and i not in ignored}

    def take_first(self, meaning: str) -> str:
        return next(self.take_all(meaning), "")

    def take_all(self, meaning: str) -> Iterator[str]:
        """Take cells one by one, the preferred one first."""
        for index in self._filled(meaning):
            yield self._left.pop(index)

    def take_split(self, meaning: str) -> str:
        """Take the first value of the first cell; its other values are left for the rest."""
        if self._columns.own:
            return self.take_first(meaning)
        for index in self._filled(meaning):
            first, *others = split(self._left[index]) or [""]
            self._keep(index, others)
            return first
        return ""

    def take_email(self) -> tuple[str, str]:
        """Take the first address, or return why there is none; others are left for the rest."""
        why = ""
        for index in self._filled("email"):
            found, reason = emails_in(self._left[index])
            if found:
                self._keep(index, found[1:])
                return found[0], ""
            why = why or reason
        return "", why or "no email address"

    def take_refusals(self) -> bool:
        """Return whether a cell says no to emails; take those that are about nothing else.

        A no stays for the rest, as it was written.
        """
        refused = False
        for index, says_no in self._columns.answers.items():
            if says_no(self._left.get(index, "")):
                refused = True
            elif index in self._columns.column(OPT_OUT):
                self._left.pop(index, None)
        return refused

    def take_name(self) -> str:
        if self._columns.own and (name := self.take_first("name")):
            return name
        first, middle = self.take_first("first_name"), self.take_first("middle_name")
        # Spanish surnames have a column each; in other files two columns may say the same.
        last = " ".join(dict.fromkeys(self.take_all("last_name")))
        full = next((self._left[index] for index in self._filled("name")), "")
        composed = f"{first} {middle} {last}"
        if first and last and not _has_words(full, f"{first} {last}"):
            # Another name, such as a nickname, is left for the rest.
            name = composed
            if _has_words(composed, full):
                self.take_first("name")
        else:
            name = self.take_first("name")
            # In a German sheet the surname is the "Name" beside the "Vorname".
            if not _has_words(name, first):
                name = f"{first} {middle} {name}"
            if not _has_words(name, last):
                name = f"{name} {last}"
        return " ".join((name.strip() or self.take_first("organization")).split())

    def take_known(self, meaning: str, found_in: Callable[[str], str]) -> str:
        """Take the first cell in which something known is found; others are left for the rest."""
        for index in self._filled(meaning):
            if known := found_in(self._left[index]):
                del self._left[index]
                return known
        return ""

    def take_address(self) -> str:
        """Take the first address that has a street, on one line unless it is our export's."""
        owners: dict[str, dict[str, int]] = {}
        for index, column in sorted(self._columns.addresses.items(), key=lambda c: c[1].rank):
            if index in self._left:
                owners.setdefault(column.owner, {}).setdefault(column.part, index)
        for parts in owners.values():
            if "street" in parts:
                # A city whose title names nobody is that of the first street.
                others = owners.get("", {})
                found = others | parts if "street" not in others else parts
                texts = {part: self._left.pop(index) for part, index in found.items()}
                if not self._columns.own:
                    texts = {part: " ".join(text.split()) for part, text in texts.items()}
                return one_line(texts)
        return ""

    def take_object(self, meaning: str) -> dict[str, Any]:
        """Take the JSON object that our own export writes; another text is left for the rest."""
        for index in self._filled(meaning):
            try:
                found = json.loads(self._left[index])
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                del self._left[index]
                return found
        return {}

    def rest(self) -> dict[str, str]:
        """Return what nothing has taken, under the column's title, made unique."""
        fields: dict[str, str] = {}
        for index, cell in self._left.items():
            title = self._columns.title(index)
            fields[title if title not in fields else f"{title} ({index + 1})"] = cell
        return fields

    def _keep(self, index: int, others: Sequence[str]) -> None:
        """Leave of a cell its other values for the rest."""
        del self._left[index]
        if others:
            self._left[index] = ", ".join(others)

    def _filled(self, meaning: str) -> Iterator[int]:
        return (index for index in self._columns.column(meaning) if index in self._left)
