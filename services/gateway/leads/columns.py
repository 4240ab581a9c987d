"""Which column of a file means what."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from services.gateway.leads import export, vocabulary
from services.gateway.leads.locales import language_in, zone_in
from services.gateway.leads.records import DELIMITERS, BrokenRecord, Record, Unreadable, records

MAX_COLUMNS = 200
MAX_TITLE = 250
_SINGLE = (
    *(vocabulary.NAME, vocabulary.FIRST_NAME, vocabulary.LAST_NAME),
    *(vocabulary.EMAIL, vocabulary.PHONE, vocabulary.NOTES),
    *(vocabulary.GREETING, vocabulary.LANGUAGE, vocabulary.TIME_ZONE),
)
_KNOWN = frozenset(
    key
    for group in (
        *(*_SINGLE, vocabulary.STAGE, vocabulary.PROPERTY_TYPE),
        *sum(vocabulary.ADDRESSES, ()),
    )
    for key in group
)


@dataclass(frozen=True)
class Cells:
    """What a record says, by meaning and in the file's own terms; empty where it says nothing."""

    name: str
    email: str
    phone: str
    property_address: str
    property_type: str
    stages: tuple[str, ...]
    notes: str
    greeting: str
    language: str
    time_zone: str
    custom_fields: Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """The header of a file: the line it stands on, the delimiter, and the titles in order."""

    line: int
    delimiter: str
    titles: tuple[str, ...]

    @classmethod
    def found_in(cls, text: str) -> "Columns":
        """Find the header. Raises Unreadable when it names no name or no email column."""
        declared = next(iter(text.splitlines()), "").strip().strip('"')
        # Excel's own way of telling the delimiter is a line before the header.
        skipped = 1 if declared.casefold().startswith("sep=") else 0
        first = [
            (delimiter, record)
            for delimiter in DELIMITERS
            for record in islice(records(text, delimiter, after=skipped), 1)
        ]
        if not first:
            raise Unreadable("the file is empty: a header with a name and an email is needed")
        headers = (
            cls(record.line, delimiter, record.cells)
            for delimiter, record in first
            if isinstance(record, Record)
        )
        columns = max(headers, key=lambda header: len(_KNOWN & set(header.keys)), default=None)
        if columns is None:
            [broken, *_] = (record for _, record in first if isinstance(record, BrokenRecord))
            raise Unreadable(f"line {broken.line}: {broken.reason}")
        columns.check()
        return columns

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The titles as `vocabulary.key` writes them."""
        return tuple(vocabulary.key(title) for title in self.titles)

    @cached_property
    def own(self) -> bool:
        """Whether our export has written the file: its cells are read back exactly."""
        return set(export.FIRST_COLUMNS) <= set(self.titles)

    @property
    def count(self) -> int:
        """How many columns there are."""
        return len(self.titles)

    def check(self) -> None:
        """Raise Unreadable when there are too many columns, or none for a name or an email."""
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
        keys = set(self.keys)
        missing = []
        if not keys & {*vocabulary.NAME, *vocabulary.FIRST_NAME, *vocabulary.LAST_NAME}:
            missing.append("a name (Name, or First Name and Last Name)")
        if not keys & set(vocabulary.EMAIL):
            missing.append("an email (Email, Email 1 or Email Address)")
        if missing:
            found = vocabulary.excerpt(", ".join(title for title in self.titles if title))
            raise Unreadable(
                f"the header has no column for {' and '.join(missing)}; it has: {found}"
            )

    def read(self, cells: Sequence[str]) -> Cells:
        """Sort a record's cells by meaning; what means nothing here is a custom field."""
        row = _Row(self, cells)
        name = row.take_first(vocabulary.NAME)
        parts = [row.take_first(vocabulary.FIRST_NAME), row.take_first(vocabulary.LAST_NAME)]
        return Cells(
            name=name if name and self.own else " ".join((name or " ".join(parts)).split()),
            email=row.take_first(vocabulary.EMAIL),
            phone=row.take_first(vocabulary.PHONE),
            property_address=row.take_address(),
            property_type=row.take_first(vocabulary.PROPERTY_TYPE),
            stages=tuple(row.take_all(vocabulary.STAGE)),
            notes="\n".join(row.take_all(vocabulary.NOTES)),
            greeting=row.take_first(vocabulary.GREETING),
            language=row.take_known(vocabulary.LANGUAGE, language_in),
            time_zone=row.take_known(vocabulary.TIME_ZONE, zone_in),
            custom_fields=row.take_object(vocabulary.CUSTOM_FIELDS) | row.rest(),
        )

    @cached_property
    def columns_of(self) -> Mapping[str, Sequence[int]]:
        """The indices of the columns by their keys."""
        found = defaultdict[str, list[int]](list)
        for index, key in enumerate(self.keys):
            found[key].append(index)
        return dict(found)


class _Row:
    """The filled cells of a record by column, each taken once."""

    def __init__(self, columns: Columns, cells: Sequence[str]) -> None:
        self._columns = columns
        self._left = {index: cell for index, cell in enumerate(cells[: columns.count]) if cell}

    def take_first(self, meanings: Iterable[str]) -> str:
        return next(self.take_all(meanings), "")

    def take_all(self, meanings: Iterable[str]) -> Iterator[str]:
        """Take cells one by one, in the order of preference of the meanings."""
        for index in self._filled(meanings):
            yield self._left.pop(index)

    def take_known(self, meanings: Iterable[str], found_in: Callable[[str], str]) -> str:
        """Take the first cell in which something known is found; others are left for the rest."""
        for index in self._filled(meanings):
            if known := found_in(self._left[index]):
                del self._left[index]
                return known
        return ""

    def take_address(self) -> str:
        """Take the first address that is filled, on one line unless it is our export's."""
        for group in vocabulary.ADDRESSES:
            street, city, state, code = (self.take_first(part) for part in group)
            lines = street if self._columns.own else " ".join(street.split())
            for part in (city, f"{state} {code}".strip()):
                # Many a sheet has the whole address in the street's column, and the city again.
                if part and part.casefold() not in lines.casefold():
                    lines = f"{lines}, {part}" if lines else part
            if lines:
                return lines
        return ""

    def take_object(self, meanings: Iterable[str]) -> dict[str, Any]:
        """Take the JSON object that our own export writes; another text is left for the rest."""
        for index in self._filled(meanings):
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
            title = self._columns.titles[index] or f"Column {index + 1}"
            fields[title if title not in fields else f"{title} ({index + 1})"] = cell
        return fields

    def _filled(self, meanings: Iterable[str]) -> Iterator[int]:
        for meaning in meanings:
            for index in self._columns.columns_of.get(meaning, ()):
                if index in self._left:
                    yield index
