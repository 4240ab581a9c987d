"""Which column of a file means what."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from services.gateway.leads import export, opt_outs, vocabulary
from services.gateway.leads.cells import emails_in, split
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.locales import language_in, zone_in
from services.gateway.leads.records import DELIMITERS, BrokenRecord, Record, records
from services.gateway.leads.street_addresses import AddressColumn, address_column, one_line
from services.gateway.leads.vocabulary import MEANINGS, meaning_of

MAX_COLUMNS = 200
MAX_TITLE = 250
# Titles, filters and dates may stand above the header.
HEADER_WITHIN = 20
ADDRESS, OPT_OUT = "property_address", "opt_out"
# A field of its own under the column's title, and none at all.
CUSTOM, IGNORED = "custom_field", "ignore"
# What a mapping may say that a column means.
MAPPABLE = frozenset({*MEANINGS, OPT_OUT, CUSTOM, IGNORED} - {"custom_fields"})


@dataclass(frozen=True)
class Cells:
    """What a record says, by meaning and in the file's own terms; empty where it says nothing."""

    name: str
    emails: tuple[str, ...]
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
    says_no: bool
    custom_fields: Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """The header of a file: the line it stands on, the delimiter, and the titles in order."""

    line: int
    delimiter: str
    titles: tuple[str, ...]
    mapping: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def found_in(cls, text: str, mapping: Mapping[str, str] | None = None) -> "Columns":
        """Find the header. Raises Unreadable when none names an email column."""
        declared = next(iter(text.splitlines()), "").strip().strip('"')
        # Excel's own way of telling the delimiter is a line before the header.
        skipped = 1 if declared.casefold().startswith("sep=") else 0
        found = [
            (delimiter, record)
            for delimiter in DELIMITERS
            for record in islice(records(text, delimiter, after=skipped), HEADER_WITHIN)
        ]
        if not found:
            raise Unreadable("the file is empty: a header with an email column is needed")
        headers = [
            cls(record.line, delimiter, record.cells, mapping or {})
            for delimiter, record in found
            if isinstance(record, Record)
        ]
        columns = max(headers, key=lambda header: header.known, default=None)
        if columns is None:
            [broken, *_] = (record for _, record in found if isinstance(record, BrokenRecord))
            raise Unreadable(f"line {broken.line}: {broken.reason}")
        columns.check()
        return columns

    @property
    def known(self) -> tuple[bool, int]:
        """How much it is like a header: with a column of emails, and so many that are known."""
        meanings = [meaning for meaning, _ in self.taken.values()]
        addresses = [title for title in self.titles if address_column(title)]
        return "email" in meanings, len(meanings) + len(addresses)

    @cached_property
    def taken(self) -> Mapping[int, tuple[str, int]]:
        """What each column means that means something, and its rank among those alike."""
        found = dict[int, tuple[str, int]]()
        for index, title in enumerate(self.titles):
            if mapped := self.mapping.get(title):
                found[index] = mapped, -1
            elif opt_outs.is_column(title):
                found[index] = OPT_OUT, 0
            elif meaning := meaning_of(title):
                found[index] = meaning
        return found

    @cached_property
    def addresses(self) -> Mapping[int, AddressColumn]:
        """The columns that are parts of addresses."""
        return {
            index: column
            for index, title in enumerate(self.titles)
            if index not in self.taken and (column := address_column(title))
        }

    def describe(self) -> list[tuple[str, str]]:
        """Return each title, and what the column was taken for."""
        told = []
        for index, title in enumerate(self.titles):
            meaning, _ = self.taken.get(index, (CUSTOM, 0))
            told.append((title, ADDRESS if index in self.addresses else meaning))
        return told

    @cached_property
    def own(self) -> bool:
        """Whether our export has written the file: its cells are read back exactly."""
        return set(export.FIRST_COLUMNS) <= set(self.titles)

    @property
    def count(self) -> int:
        """How many columns there are."""
        return len(self.titles)

    def title(self, index: int) -> str:
        """Return the title of a column, also of one that the header lacks."""
        return (self.titles[index] if index < self.count else "") or f"Column {index + 1}"

    def check(self) -> None:
        """Raise Unreadable for too many columns, none for an email, or a mapping of what is not."""
        if self.count > MAX_COLUMNS:
            raise Unreadable(
                f"line {self.line}: the header has {self.count} columns, {MAX_COLUMNS} are allowed"
            )
        for number, title in enumerate(self.titles, start=1):
            if len(title) > MAX_TITLE:
                raise Unreadable(
                    f"line {self.line}: the title of column {number} is {len(title)} characters"
                    f" long, {MAX_TITLE} are allowed"
                )
        titles = vocabulary.excerpt(", ".join(title for title in self.titles if title))
        for title, meaning in self.mapping.items():
            if title not in self.titles:
                raise Unreadable(f"the mapping names “{title}”, but the columns are: {titles}")
            if meaning not in MAPPABLE:
                known = ", ".join(sorted(MAPPABLE))
                raise Unreadable(f"the mapping takes “{title}” for “{meaning}”; use {known}")
        if not any(meaning == "email" for meaning, _ in self.taken.values()):
            raise Unreadable(
                "the header has no column for an email (Email, Email 1 or Email Address); it has:"
                f" {titles}"
            )

    def read(self, cells: Sequence[str], *, day_in: Callable[[str], str]) -> Cells:
        """Sort a record's cells by meaning; what means nothing here is a custom field."""
        row = _Row(self, cells)
        says_no = row.take_refusals()
        emails, no_email = row.take_emails()
        return Cells(
            name=row.take_name(),
            emails=emails,
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
            says_no=says_no,
            custom_fields=row.take_object("custom_fields") | row.rest(),
        )

    def column(self, meaning: str) -> Sequence[int]:
        """Return the indices of the columns with a meaning, the preferred one first."""
        return self._ranked.get(meaning, ())

    @cached_property
    def _ranked(self) -> Mapping[str, Sequence[int]]:
        ranked: dict[str, list[int]] = {}
        for index, (meaning, _) in sorted(self.taken.items(), key=lambda item: item[1][1]):
            ranked.setdefault(meaning, []).append(index)
        return ranked


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
            first, *others = split(self._left.pop(index)) or [""]
            if others:
                self._left[index] = ", ".join(others)
            return first
        return ""

    def take_emails(self) -> tuple[tuple[str, ...], str]:
        """Take the first cell with an address in it; further ones are left for the rest."""
        why = ""
        for index in self._filled("email"):
            found, reason = emails_in(self._left[index])
            if found:
                del self._left[index]
                if others := found[1:]:
                    self._left[index] = ", ".join(others)
                return tuple(found), ""
            why = why or reason
        return (), why or "no email address"

    def take_refusals(self) -> bool:
        """Return whether a cell says no to emails; take those that are about nothing else.

        A no stays for the rest, as it was written.
        """
        refused = False
        for index, cell in list(self._left.items()):
            is_mapped = self._columns.mapping.get(self._columns.title(index)) == OPT_OUT
            title = "Opt Out" if is_mapped else self._columns.title(index)
            if opt_outs.says_no(title, cell):
                refused = True
            elif index in self._columns.column(OPT_OUT):
                del self._left[index]
        return refused

    def take_name(self) -> str:
        name = self.take_first("name")
        if name and self._columns.own:
            return name
        first, *others = (
            self.take_first(part) for part in ("first_name", "middle_name", "last_name")
        )
        if not name or (first and first.casefold() not in name.casefold()):
            # In a German sheet the surname is the "Name" beside the "Vorname".
            name = " ".join(filter(None, (first, *others, name)))
        return " ".join((name or self.take_first("organization")).split())

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
                texts = {part: self._left.pop(index) for part, index in parts.items()}
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

    def _filled(self, meaning: str) -> Iterator[int]:
        return (index for index in self._columns.column(meaning) if index in self._left)
