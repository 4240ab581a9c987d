"""Which column of a file means what."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from services.gateway.leads import vocabulary as words
from services.gateway.leads.records import DELIMITERS, Record, Unreadable, records

_SINGLE = (words.NAME, words.FIRST_NAME, words.LAST_NAME, words.EMAIL, words.PHONE, words.NOTES)
_KNOWN = frozenset(
    word
    for group in (*_SINGLE, words.STAGE, words.PROPERTY_TYPE, *sum(words.ADDRESSES, ()))
    for word in group
)


@dataclass(frozen=True)
class Cells:
    """What a record says, by meaning and in the words of the file; empty where it says nothing."""

    name: str
    email: str
    phone: str
    property_address: str
    property_type: str
    stages: tuple[str, ...]
    notes: str
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
        headers = (
            cls(record.line, delimiter, record.cells)
            for delimiter in DELIMITERS
            for record in islice(records(text, delimiter, after=skipped), 1)
            if isinstance(record, Record)
        )
        columns = max(headers, key=lambda header: len(_KNOWN & set(header.keys)), default=None)
        if columns is None:
            raise Unreadable("the file is empty: a header with a name and an email is needed")
        columns.check()
        return columns

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The titles as `vocabulary.key` writes them."""
        return tuple(words.key(title) for title in self.titles)

    @property
    def count(self) -> int:
        """How many columns there are."""
        return len(self.titles)

    def check(self) -> None:
        """Raise Unreadable unless there is a column to tell a name and an email by."""
        keys = set(self.keys)
        missing = []
        if not keys & {*words.NAME, *words.FIRST_NAME, *words.LAST_NAME}:
            missing.append("a name (Name, or First Name and Last Name)")
        if not keys & set(words.EMAIL):
            missing.append("an email (Email, Email 1 or Email Address)")
        if missing:
            found = ", ".join(title for title in self.titles if title)
            raise Unreadable(
                f"the header has no column for {' and '.join(missing)}; it has: {found}"
            )

    def read(self, cells: Sequence[str]) -> Cells:
        """Sort a record's cells by meaning; what means nothing here is a custom field."""
        row = _Row(dict(self._filled(cells)))
        name = row.take_first(words.NAME)
        parts = [row.take_first(words.FIRST_NAME), row.take_first(words.LAST_NAME)]
        return Cells(
            name=" ".join((name or " ".join(parts)).split()),
            email=row.take_first(words.EMAIL),
            phone=row.take_first(words.PHONE),
            property_address=row.take_address(),
            property_type=row.take_first(words.PROPERTY_TYPE),
            stages=tuple(row.take_all(words.STAGE)),
            notes="\n".join(row.take_all(words.NOTES)),
            custom_fields=row.take_object(words.CUSTOM_FIELDS) | row.rest(self.titles),
        )

    def _filled(self, cells: Sequence[str]) -> Iterator[tuple[int, tuple[str, str]]]:
        for index, (word, cell) in enumerate(zip(self.keys, cells, strict=False)):
            if cell:
                yield index, (word, cell)


class _Row:
    """The filled cells of a record by column, each taken once."""

    def __init__(self, filled: dict[int, tuple[str, str]]) -> None:
        self._left = filled

    def take_first(self, meanings: Iterable[str]) -> str:
        return next(self.take_all(meanings), "")

    def take_all(self, meanings: Iterable[str]) -> Iterator[str]:
        """Take cells one by one, in the order of preference of the meanings."""
        for meaning in meanings:
            for index, (word, cell) in list(self._left.items()):
                if word == meaning:
                    del self._left[index]
                    yield cell

    def take_address(self) -> str:
        """Take the first address that is filled, on one line."""
        for group in words.ADDRESSES:
            street, city, state, code = (self.take_first(part) for part in group)
            lines = " ".join(street.split())
            for part in (city, f"{state} {code}".strip()):
                # Many a sheet has the whole address in the street's column, and the city again.
                if part and part.casefold() not in lines.casefold():
                    lines = f"{lines}, {part}" if lines else part
            if lines:
                return lines
        return ""

    def take_object(self, meanings: Iterable[str]) -> dict[str, Any]:
        """Take the JSON object that our own export writes; another text is left for the rest."""
        for index, (word, cell) in list(self._left.items()):
            if word in meanings:
                try:
                    found = json.loads(cell)
                except (ValueError, RecursionError):
                    continue
                if isinstance(found, dict):
                    del self._left[index]
                    return found
        return {}

    def rest(self, titles: Sequence[str]) -> dict[str, str]:
        """Give what nobody took, under the column's title, made unique."""
        fields: dict[str, str] = {}
        for index, (_, cell) in self._left.items():
            title = titles[index] or f"Column {index + 1}"
            fields[title if title not in fields else f"{title} ({index + 1})"] = cell
        return fields
