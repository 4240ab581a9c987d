"""Which column of a file means what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Final

from services.gateway.leads import export
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.records import DELIMITERS, BrokenRecord, Record, records
from services.gateway.leads.words import opt_outs, vocabulary
from services.gateway.leads.words.street_addresses import MAPPED, AddressColumn, address_column
from services.gateway.leads.words.vocabulary import MEANINGS, meaning_of

MAX_COLUMNS = 200
MAX_TITLE = 250
# Titles, filters and dates may stand above the header.
HEADER_WITHIN = 20
ADDRESS, OPT_OUT = "property_address", "opt_out"
# A field of its own under the column's title, and none at all.
CUSTOM, IGNORED = "custom_field", "ignore"
# What a mapping may say that a column means.
_PARTS: Final = {ADDRESS: "street", "city": "city", "state": "state", "zip": "code"}
MAPPABLE = frozenset({*MEANINGS, *_PARTS, OPT_OUT, CUSTOM, IGNORED} - {"custom_fields"})


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
        return bool(self.column("email")), len(self.taken)

    @cached_property
    def taken(self) -> Mapping[int, tuple[str, int]]:
        """What each column means that means something, and its rank among those alike."""
        found = dict[int, tuple[str, int]]()
        for index, title in enumerate(self.titles):
            if mapped := self.mapping.get(title):
                found[index] = mapped, -1
            elif opt_outs.is_about_emails_alone(title):
                found[index] = OPT_OUT, 0
            elif meaning := meaning_of(title):
                found[index] = meaning
        return found

    @cached_property
    def addresses(self) -> Mapping[int, AddressColumn]:
        """The columns that are parts of addresses."""
        mapped = {
            index: AddressColumn(MAPPED, _PARTS[meaning])
            for index, (meaning, _) in self.taken.items()
            if meaning in _PARTS
        }
        return mapped | {
            index: column
            for index, title in enumerate(self.titles)
            if index not in self.taken and (column := address_column(title))
        }

    @cached_property
    def answers(self) -> Mapping[int, opt_outs.Answer]:
        """The columns whose cells may say no to emails, and what tells it."""
        found = {index: opt_outs.answer_of(title) for index, title in enumerate(self.titles)}
        alone = {i for i, title in enumerate(self.titles) if opt_outs.is_about_emails_alone(title)}
        found |= {i: opt_outs.is_yes for i in self.column(OPT_OUT) if i not in alone}
        return {index: answer for index, answer in found.items() if answer}

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
        if not self.column("email"):
            raise Unreadable(
                "the header has no column for an email (Email, Email 1 or Email Address); it has:"
                f" {titles}"
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
