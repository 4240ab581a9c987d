"""Many clients at once from a CSV: a command for every good line, and an entry for every line."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Literal
from uuid import UUID, uuid5

from pydantic import BaseModel

from chassis.mongo.client import Database
from contracts.crm import CreateClient, NewClientDetails
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.commands.client import CommandClient
from services.gateway.commands.csv_workers import CsvWorkers
from services.gateway.commands.daily_quota import DailyQuota
from services.gateway.commands.replies import Reply
from services.gateway.errors import FieldError, TooManyRequests, Unavailable
from services.gateway.leads.rows import LINE, ClientRow, RefusedRow, Rows
from services.gateway.read_models.search import search_key

# So many emails are looked up in one query.
LOOKED_UP = 1_000
# After so many lines of a report the event loop has a turn.
ENCODED_AT_ONCE = 500
# When to try again while another file of the agent's is imported.
RETRY_SECONDS = 5

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


class ClientImports:
    """Imports files of clients, one of an agent's at a time. One per gateway process."""

    def __init__(self, commands: CommandClient, database: Database, quota: DailyQuota) -> None:
        self._commands = commands
        self._quota = quota
        self._database = database
        self._workers = CsvWorkers()
        self._importing: set[UUID] = set()
        self.close = self._workers.close

    @contextlib.contextmanager
    def slot(self, agent_id: UUID) -> Iterator[None]:
        """Hold the agent's only import. Raises TooManyRequests while it is held."""
        if agent_id in self._importing:
            raise TooManyRequests(RETRY_SECONDS)
        self._importing.add(agent_id)
        try:
            yield
        finally:
            self._importing.remove(agent_id)

    async def read(self, content: bytes, charset: str | None) -> Rows:
        """Read a file. Raises Unreadable, and Unavailable when its worker does not answer."""
        return await self._workers.read(content, charset)

    async def add(self, agent_id: UUID, rows: Rows, base: UUID) -> bytes:
        """Add the clients of a file; return an ImportReport as JSON when the views show them.

        The ids of commands and clients follow from `base` and the line, so that the same file
        under the same base is not imported twice. Raises Unavailable without Kafka: what was
        imported by then is known when the file comes again. Lines beyond the day's quota are
        refused.
        """
        stored = await self._stored(agent_id, rows.clients)
        # Not from this very import.
        known = {n: id_ for n, id_ in stored.items() if id_ != _ids(base, n)[1]}
        new = [number for number, _, _ in rows.clients if number not in stored]
        grant = await self._quota.take(agent_id, len(new))
        beyond = frozenset(new[grant.number :])
        ids: dict[int, tuple[UUID, UUID]] = {}

        def commands() -> Iterator[tuple[UUID, CreateClient]]:
            for number, _, fields in rows.clients:
                if number not in known and number not in beyond:
                    command_id, client_id = ids[number] = _ids(base, number)
                    yield command_id, _create(agent_id, client_id, fields)

        try:
            replies = await self._commands.execute_all(commands())
        except Unavailable:
            # The file has to come again, and not at the cost of two.
            await self._quota.give_back(grant, grant.number)
            raise
        rejected = (replies.get(ids[n][0]) for n in new[: grant.number])
        await self._quota.give_back(grant, sum(isinstance(r, CommandRejected) for r in rejected))
        lines = chain(
            (_refused(n, reasons) for n, reasons in groupby(_drained(rows.refused), itemgetter(0))),
            (ImportedLine(line=n, outcome="known", client_id=id_) for n, id_ in known.items()),
            (_refused(n, [(n, LINE, self._quota.reason)]) for n in beyond),
            (_line(n, *both, replies.get(both[0])) for n, both in ids.items()),
        )
        return await _report(lines)

    async def _stored(self, agent_id: UUID, clients: Sequence[ClientRow]) -> Mapping[int, UUID]:
        """Return the clients that have the emails of lines already.

        It saves crm from refusing a file that comes again, a line at a time.
        """
        # Both have been normalised; the canonical form would keep the event loop for long.
        lines = {email.lower(): number for number, email, _ in clients}
        emails = list({search_key(email) for _, email, _ in clients})
        stored: dict[int, UUID] = {}
        for start in range(0, len(emails), LOOKED_UP):
            where = {
                "agent_id": agent_id,
                "search": {"$in": emails[start : start + LOOKED_UP]},
            }
            async for row in self._database["clients"].find(where, {"email": 1}):
                number = lines.get(row["email"].lower())
                if number is not None:
                    stored[number] = row["_id"]
        return stored


async def _report(lines: Iterable[ImportedLine]) -> bytes:
    """Return the report. As objects, 20,000 lines with all that is wrong take 150 MB."""
    counts = Counter[Outcome]()
    entries: list[tuple[int, bytes]] = []
    for line in lines:
        counts[line.outcome] += 1
        entries.append((line.line, line.model_dump_json().encode()))
        if len(entries) % ENCODED_AT_ONCE == 0:
            await asyncio.sleep(0)
    entries.sort(key=itemgetter(0))
    report = ImportReport(
        imported=counts["imported"],
        known=counts["known"],
        refused=counts["refused"],
        pending=counts["pending"],
        lines=[],
    )
    before, after = report.model_dump_json().encode().split(b"[]")
    parts = [entry for _, entry in entries] or [b""]
    parts[0] = before + b"[" + parts[0]
    parts[-1] += b"]" + after
    return b",".join(parts)


def _drained(rows: list[RefusedRow]) -> Iterator[RefusedRow]:
    """Yield the rows, and hold none of them any longer."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _ids(base: UUID, line: int) -> tuple[UUID, UUID]:
    """Return the ids of a line's command and of its client."""
    command_id = uuid5(base, f"line {line}")
    return command_id, uuid5(command_id, "client")


def _create(agent_id: UUID, client_id: UUID, fields: str) -> CreateClient:
    """Return the command; the worker has validated the fields."""
    body = json.loads(fields)
    body["personal"] = NewClientDetails.model_construct(**body["personal"])
    return CreateClient.model_construct(agent_id=agent_id, client_id=client_id, **body)


def _refused(number: int, rows: Iterable[RefusedRow]) -> ImportedLine:
    errors = [FieldError(field=field, reason=reason) for _, field, reason in rows]
    return ImportedLine(line=number, outcome="refused", errors=errors)


def _line(number: int, command_id: UUID, client_id: UUID, reply: Reply | None) -> ImportedLine:
    if reply is None:
        return ImportedLine(
            line=number, outcome="pending", client_id=client_id, command_id=command_id
        )
    if isinstance(reply, CommandAccepted):
        return ImportedLine(line=number, outcome="imported", client_id=client_id)
    taken = (reply.kind, reply.field) == ("conflict", "email")
    error = FieldError(field=reply.field or LINE, reason=reply.reason)
    return ImportedLine(line=number, outcome="known" if taken else "refused", errors=[error])
