"""Reading a CSV of leads: what is good, what is noted, and what is wrong on which line. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

from contracts.addresses import canonical_address
from contracts.crm import PropertyType, Stage
from services.gateway.leads.cells import Cells, read
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.columns import Columns
from services.gateway.leads.records import BrokenRecord, Record, records
from services.gateway.leads.words import opt_outs
from services.gateway.leads.words.values import (
    PROPERTY_TYPE_OF,
    STAGE_OF,
    day_in,
    is_no_stage,
    months_first,
)
from services.gateway.leads.words.vocabulary import excerpt, key

LIMITS = {
    "name": 100,
    "phone": 40,
    "property_address": 200,
    "notes": 1000,
    "greeting": 100,
    "source": 100,
    "sequence": 60,
}
MAX_CUSTOM_FIELDS = 50
# Of the lines that a program writes below its table, the words of one.
_FOOTER = re.compile(
    r"copyright|all rights reserved|confidential|(?:generated|exported|created|powered) (?:by|on)"
    r"|grand total|total records|report name|filtered by|\?.*@|support@",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Complaint:
    """What is noted about a line of the file. `field` is empty when the whole line is meant."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        about = f"{self.field}: " if self.field else ""
        return f"line {self.line}: {about}{self.reason}"


@dataclass(frozen=True)
class Lead:
    """A client to be, with the line of the file that it starts on (from 1).

    `suppressed`: the file says that this person wants no emails. `warnings`: what of the line was
    not taken as it stands there.
    """

    line: int
    name: str
    email: str
    phone: str = ""
    property_address: str = ""
    property_type: PropertyType | None = None
    stage: Stage | None = None
    notes: str = ""
    greeting: str = ""
    language: str = ""
    time_zone: str = ""
    source: str = ""
    lead_since: str = ""
    review: str = ""
    sequence: str = ""
    custom_fields: Mapping[str, Any] = field(default_factory=dict)
    suppressed: bool = False
    warnings: tuple[Complaint, ...] = ()

    @property
    def is_followed_up(self) -> bool:
        """Whether it is to be won yet, and may be given the sequence of a new lead."""
        return self.stage not in ("closed", "lost")

    def body(self) -> dict[str, Any]:
        """Return the body of `POST /api/clients`; what is not known is left out."""
        other = ("line", "sequence", "suppressed", "warnings")
        fields = {name: value for name, value in vars(self).items() if name not in other}
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True)
class Parsed:
    """The leads of a file in its order, and a complaint for each line that is none.

    `columns`: each title, and what the column was taken for.
    """

    leads: tuple[Lead, ...]
    complaints: tuple[Complaint, ...]
    columns: tuple[tuple[str, str], ...]


def parse(
    text: str,
    most: int | None = None,
    mapping: Mapping[str, str] | None = None,
    *,
    today: date = date.max,
) -> Parsed:
    """Sort the file's lines into leads and complaints.

    `mapping`: what columns mean, by title, where the caller knows it better. `today`: nobody is a
    lead since a later day. Raises Unreadable when there is no header to tell an email by, or there
    are more lines than `most`.
    """
    columns = Columns.found_in(text, mapping)
    every = records(text, columns.delimiter, after=columns.line, verbatim=columns.own)
    found = list(islice(every, most + 1 if most else None))
    if most and len(found) > most:
        raise Unreadable(f"has more than {most} lines")
    _drop_footer(found)
    days = partial(day_in, month_first=months_first(_days_of(columns, found)), today=today)
    leads: dict[str, Lead] = {}
    complaints: list[Complaint] = []
    for record in found:
        if isinstance(record, BrokenRecord):
            complaints.append(Complaint(record.line, "", record.reason))
            continue
        cells = read(columns, record.cells, day_in=days)
        if not cells.email:
            complaints.append(Complaint(record.line, "email", cells.no_email))
            continue
        lead = _lead(columns, record, cells)
        address = canonical_address(lead.email)
        if first := leads.get(address):
            reason = f"{lead.email} is already on line {first.line}"
            complaints.append(Complaint(lead.line, "email", reason))
            # A no is one, on whichever line it stands.
            leads[address] = replace(first, suppressed=first.suppressed or lead.suppressed)
        else:
            leads[address] = lead
    return Parsed(tuple(leads.values()), tuple(complaints), tuple(columns.describe()))


def _lead(columns: Columns, record: Record, cells: Cells) -> Lead:
    noted: list[tuple[str, str]] = []
    texts = {name: getattr(cells, name) for name in LIMITS}
    fields = dict(cells.custom_fields)
    if not texts["name"]:
        texts["name"] = cells.email
        noted.append(("name", "no name: the email address stands for it"))
    for name, limit in LIMITS.items():
        if len(texts[name]) > limit:
            noted.append((name, f"cut from {len(texts[name])} to {limit} characters"))
            texts[name] = texts[name][:limit].rstrip()
    stage = _stage(cells, fields, noted)
    kind = PROPERTY_TYPE_OF.get(key(cells.property_type))
    if cells.property_type and kind is None:
        noted.append(("property_type", f"“{excerpt(cells.property_type)}” is not known here"))
        fields["property_type"] = cells.property_type
    if not cells.lead_since:
        for title in map(columns.title, columns.column("lead_since")):
            if title in fields:
                day = excerpt(fields[title])
                noted.append(("lead_since", f"“{day}” is no day that is past: kept as a field"))
    if len(record.cells) > columns.count and any(record.cells[columns.count :]):
        reason = (
            f"has {len(record.cells)} values where the header has {columns.count}; if one of them"
            " has a delimiter in it, that value needs quotes"
        )
        noted.append(("", reason))
    return Lead(
        line=record.line,
        **texts,
        email=cells.email,
        property_type=kind,
        stage=stage,
        language=cells.language,
        time_zone=cells.time_zone,
        lead_since=cells.lead_since,
        review=cells.review,
        custom_fields=_within_limit(fields, noted),
        suppressed=cells.says_no,
        warnings=tuple(Complaint(record.line, name, reason) for name, reason in noted),
    )


def _stage(cells: Cells, fields: dict[str, Any], noted: list[tuple[str, str]]) -> Stage | None:
    """Return the stage; a word that is not known becomes a lead's, and is kept and noted."""
    words = [word for word in cells.stages if not is_no_stage(word)]
    stages = [STAGE_OF.get(key(word)) for word in words]
    # A no in any of the columns is a no: HubSpot keeps "Unqualified" beside the stage.
    if "lost" in stages:
        return "lost"
    for word, stage in zip(words, stages, strict=True):
        if stage is None:
            fields.setdefault("stage", word)
            if not opt_outs.has_no_word(word):
                noted.append(("stage", f"“{excerpt(word)}” is not known here: kept as a field"))
    return next(filter(None, stages), "lead" if words else None)


def _within_limit(fields: dict[str, Any], noted: list[tuple[str, str]]) -> dict[str, Any]:
    if beyond := list(fields)[MAX_CUSTOM_FIELDS:]:
        names = excerpt(", ".join(beyond))
        reason = (
            f"{len(fields)} other columns are filled, {MAX_CUSTOM_FIELDS} are kept, not {names}"
        )
        noted.append(("custom_fields", reason))
    return {name: fields[name] for name in list(fields)[:MAX_CUSTOM_FIELDS]}


def _days_of(columns: Columns, found: list[Record | BrokenRecord]) -> Iterator[str]:
    indices = columns.column("lead_since")
    for record in found:
        if isinstance(record, Record):
            yield from (record.cells[i] for i in indices if i < len(record.cells))


def _drop_footer(found: list[Record | BrokenRecord]) -> None:
    """Drop what a program writes below its table: single cells, one of which says so."""
    begin = len(found)
    for record in reversed(found):
        if not isinstance(record, Record) or sum(map(bool, record.cells)) != 1:
            break
        begin -= 1
    below = [
        next(filter(None, record.cells)) for record in found[begin:] if isinstance(record, Record)
    ]
    # A file may be of addresses alone; the footer is below the last one.
    leads = [n for n, text in enumerate(below, start=1) if "@" in text and not _FOOTER.search(text)]
    begin += max(leads, default=0)
    if any(_FOOTER.search(text) for text in below[max(leads, default=0) :]):
        del found[begin:]
