"""Many clients at once from a CSV: a command for every good line, and an entry for every line."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from operator import attrgetter
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ValidationError

from chassis.mongo.client import Database
from contracts.crm import CreateClient
from contracts.replies import CommandAccepted
from services.gateway.commands.client import CommandClient
from services.gateway.commands.replies import Reply
from services.gateway.errors import FieldError
from services.gateway.leads.parsing import Complaint, Lead, parse
from services.gateway.leads.records import Unreadable, decode
from services.gateway.read_models.schemas import NewClient

MAX_LINES = 20_000
# A client's notes may have line breaks, but a file should not be made of them.
MAX_LINE_BREAKS = 10 * MAX_LINES
# So many emails are looked up in one query.
LOOKED_UP = 1_000
# What complaints about a whole line are about.
LINE = "line"

Outcome = Literal["imported", "known", "refused", "pending"]


class ImportedLine(BaseModel):
    """What became of a line (from 1, as the file counts them).

    `known`: there is a client with this email. `pending`: what becomes of it will stand at
    `/api/commands/{command_id}`; the client, if it is accepted, gets `client_id`.
    """

    line: int
    outcome: Outcome
    client_id: UUID | None = None
    command_id: UUID | None = None
    errors: list[FieldError] = []


class ImportReport(BaseModel):
    """What became of every line that says something, in the order of the file."""

    imported: int
    known: int
    refused: int
    pending: int
    lines: list[ImportedLine]


async def import_clients(
    commands: CommandClient,
    database: Database,
    agent_id: UUID,
    content: bytes,
    charset: str | None,
    base: UUID,
) -> ImportReport:
    """Add the clients of a CSV; return when the views show them.

    The ids of commands and clients follow from `base` and the line, so that the same file under
    the same base is not imported twice. Raises Unreadable when the file is no use, Unavailable
    without Kafka: what was imported by then is known when the file comes again.
    """
    # Thousands of lines take seconds, and others are to be answered meanwhile.
    creates, refused = await asyncio.to_thread(_read, agent_id, content, charset, base)
    known = await _known(database, agent_id, creates)
    ids = {number: _command_id(base, number) for number in creates if number not in known}
    answers = await commands.order_all((ids[number], creates[number]) for number in ids)
    lines = [
        *refused,
        *(ImportedLine(line=n, outcome="known", client_id=id_) for n, id_ in known.items()),
        *(_line(n, creates[n].client_id, id_, answers.get(id_)) for n, id_ in ids.items()),
    ]
    lines.sort(key=attrgetter("line"))
    counts: Counter[Outcome] = Counter(line.outcome for line in lines)
    return ImportReport(
        imported=counts["imported"],
        known=counts["known"],
        refused=counts["refused"],
        pending=counts["pending"],
        lines=lines,
    )


def _read(
    agent_id: UUID, content: bytes, charset: str | None, base: UUID
) -> tuple[dict[int, CreateClient], list[ImportedLine]]:
    """Give the commands by line, and what is said of the lines that are no good."""
    text = decode(content, charset)
    if text.count("\n") + text.count("\r") > MAX_LINE_BREAKS:
        raise Unreadable(f"has more than {MAX_LINE_BREAKS} line breaks")
    parsed = parse(text, most=MAX_LINES)
    refused = [
        ImportedLine(line=number, outcome="refused", errors=_errors(complaints))
        for number, complaints in groupby(parsed.complaints, attrgetter("line"))
    ]
    creates: dict[int, CreateClient] = {}
    for lead in parsed.leads:
        try:
            creates[lead.line] = _create(agent_id, lead, base)
        except ValidationError as error:
            errors = [
                FieldError(field=str(wrong["loc"][0]), reason=wrong["msg"])
                for wrong in error.errors()
            ]
            refused.append(ImportedLine(line=lead.line, outcome="refused", errors=errors))
    return creates, refused


def _create(agent_id: UUID, lead: Lead, base: UUID) -> CreateClient:
    client_id = uuid5(_command_id(base, lead.line), "client")
    return NewClient.model_validate(lead.body()).ordered(agent_id, client_id)


def _command_id(base: UUID, line: int) -> UUID:
    return uuid5(base, f"line {line}")


def _errors(complaints: Iterable[Complaint]) -> list[FieldError]:
    return [FieldError(field=c.field or LINE, reason=c.reason) for c in complaints]


def _line(number: int, client_id: UUID, command_id: UUID, answer: Reply | None) -> ImportedLine:
    if answer is None:
        return ImportedLine(
            line=number, outcome="pending", client_id=client_id, command_id=command_id
        )
    if isinstance(answer, CommandAccepted):
        return ImportedLine(line=number, outcome="imported", client_id=client_id)
    taken = (answer.kind, answer.field) == ("conflict", "email")
    error = FieldError(field=answer.field or LINE, reason=answer.reason)
    return ImportedLine(line=number, outcome="known" if taken else "refused", errors=[error])


async def _known(
    database: Database, agent_id: UUID, creates: Mapping[int, CreateClient]
) -> dict[int, UUID]:
    """Give the clients that have the emails of lines already, and not from this very import.

    It saves crm from refusing a file that comes again, a line at a time.
    """
    lines = {create.personal.email.casefold(): number for number, create in creates.items()}
    known: dict[int, UUID] = {}
    for some in _batched(lines, LOOKED_UP):
        where = {"agent_id": agent_id, "search": {"$in": some}}
        async for row in database["clients"].find(where, {"email": 1}):
            number = lines.get(row["email"].casefold())
            if number is not None and creates[number].client_id != row["_id"]:
                known[number] = row["_id"]
    return known


def _batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
