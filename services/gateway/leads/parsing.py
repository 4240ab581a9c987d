"""Reading a CSV of leads: what is good, and what is wrong on which line. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from email_validator import EmailNotValidError, validate_email

from contracts.addresses import canonical_address
from contracts.crm import PropertyType, Stage
from services.gateway.leads.columns import Cells, Columns
from services.gateway.leads.records import BrokenRecord, Record, Unreadable, records
from services.gateway.leads.vocabulary import PROPERTY_TYPE_OF, STAGE_OF, excerpt, key

LIMITS = {"name": 100, "phone": 20, "property_address": 200, "notes": 1000, "greeting": 100}
# RFC 5321, 4.5.3.1.3: a path has 256 characters, two of which are brackets.
MAX_EMAIL = 254
MAX_CUSTOM_FIELDS = 50


@dataclass(frozen=True)
class Lead:
    """A client to be, with the line of the file that it starts on (from 1)."""

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
    custom_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_followed_up(self) -> bool:
        """Whether a plan of follow-ups is made for it."""
        return self.stage not in ("closed", "lost")

    def body(self) -> dict[str, Any]:
        """Return the body of `POST /api/clients`; what is not known is left out."""
        fields = {name: value for name, value in vars(self).items() if name != "line"}
        return {name: value for name, value in fields.items() if value}


@dataclass(frozen=True)
class Complaint:
    """Why a line of the file was not taken. `field` is empty when the whole line is meant."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        about = f"{self.field}: " if self.field else ""
        return f"line {self.line}: {about}{self.reason}"


@dataclass(frozen=True)
class Parsed:
    """The leads of a file in its order, and a complaint for each thing wrong with the others."""

    leads: tuple[Lead, ...]
    complaints: tuple[Complaint, ...]


def parse(text: str, most: int | None = None) -> Parsed:
    """Sort the file's lines into leads and complaints.

    Raises Unreadable when there is no header to tell a name or an email by, or there are more
    lines than `most`.
    """
    columns = Columns.found_in(text)
    leads: dict[str, Lead] = {}
    complaints: list[Complaint] = []
    found = records(text, columns.delimiter, after=columns.line, verbatim=columns.own)
    for number, record in enumerate(found, start=1):
        if most and number > most:
            raise Unreadable(f"has more than {most} lines")
        if isinstance(record, BrokenRecord):
            complaints.append(Complaint(record.line, "", record.reason))
            continue
        cells = columns.read(record.cells)
        email, no_email = _email(cells.email)
        lead = _lead(record.line, cells, email)
        wrong = list(_complaints(columns, record, cells, lead, no_email))
        # Of what is no email there is no canonical form, or it takes long.
        address = "" if no_email else canonical_address(email)
        if first := leads.get(address):
            reason = f"{lead.email} is already on line {first.line}"
            wrong.append(Complaint(lead.line, "email", reason))
        complaints += wrong
        if not wrong:
            leads[address] = lead
    return Parsed(tuple(leads.values()), tuple(complaints))


def _lead(line: int, cells: Cells, email: str) -> Lead:
    stages = [STAGE_OF.get(key(word)) for word in cells.stages]
    return Lead(
        line=line,
        name=cells.name,
        email=email,
        phone=cells.phone,
        property_address=cells.property_address,
        property_type=PROPERTY_TYPE_OF.get(key(cells.property_type)),
        # A no in any of the columns is a no: HubSpot keeps "Unqualified" beside the stage.
        stage="lost" if "lost" in stages else next(iter(stages), None),
        notes=cells.notes,
        greeting=cells.greeting,
        language=cells.language,
        time_zone=cells.time_zone,
        custom_fields=cells.custom_fields,
    )


def _complaints(
    columns: Columns, record: Record, cells: Cells, lead: Lead, no_email: str
) -> Iterator[Complaint]:
    if len(record.cells) > columns.count and any(record.cells[columns.count :]):
        reason = (
            f"has {len(record.cells)} values where the header has {columns.count};"
            " a value with a delimiter in it needs quotes"
        )
        yield Complaint(lead.line, "", reason)
        return
    if not lead.name:
        yield Complaint(lead.line, "name", "is missing")
    if no_email:
        yield Complaint(lead.line, "email", no_email)
    for name, limit in LIMITS.items():
        if reason := _too_long(getattr(lead, name), limit):
            yield Complaint(lead.line, name, reason)
    if len(lead.custom_fields) > MAX_CUSTOM_FIELDS:
        reason = f"{len(lead.custom_fields)} other columns are filled, {MAX_CUSTOM_FIELDS} can be"
        yield Complaint(lead.line, "custom_fields", reason)
    if cells.stages and lead.stage is None:
        yield Complaint(lead.line, "stage", _unknown(cells.stages[0], "stage", STAGE_OF))
    if cells.property_type and lead.property_type is None:
        reason = _unknown(cells.property_type, "property type", PROPERTY_TYPE_OF)
        yield Complaint(lead.line, "property_type", reason)


def _email(cell: str) -> tuple[str, str]:
    """Return the email as the API would store it, and why it is none."""
    if not cell:
        return cell, "is missing"
    if reason := _too_long(cell, MAX_EMAIL):
        return cell, reason
    try:
        return validate_email(cell, check_deliverability=False).normalized, ""
    except EmailNotValidError as error:
        return cell, f"“{cell}” is no email address: {error}"


def _too_long(text: str, limit: int) -> str:
    return f"is {len(text)} characters long, {limit} are allowed" if len(text) > limit else ""


def _unknown(word: str, what: str, known: Mapping[str, str]) -> str:
    return (
        f"“{excerpt(word)}” is no {what} known here; use {', '.join(dict.fromkeys(known.values()))}"
    )
