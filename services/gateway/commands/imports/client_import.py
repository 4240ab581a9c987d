"""Many clients at once from a CSV: commands for every good line, and an entry for every line."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID, uuid5

from chassis.mongo.client import Database, Raw
from contracts.crm import (
    ClientDetailsPatch,
    CreateClient,
    NewClientDetails,
    PlannedSequence,
    UpdateClient,
)
from contracts.mailer import SuppressAddress
from contracts.message import Command
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.commands.client import CommandClient
from services.gateway.commands.daily_quota import DailyQuota
from services.gateway.commands.imports.csv_workers import CsvWorkers
from services.gateway.commands.imports.report import ImportedLine, report_of
from services.gateway.commands.opt_outs import opt_out_of
from services.gateway.commands.replies import Reply
from services.gateway.commands.sequences import Sequences, new_plan, sequences_of
from services.gateway.errors import FieldError, InvalidField, TooManyRequests, Unavailable
from services.gateway.leads.rows import LINE, ClientRow, RefusedRow, Rows
from services.gateway.read_models.agent_zones import agent_time_zone
from services.gateway.read_models.search import search_key

# So many emails are looked up in one query.
LOOKED_UP = 1_000
# When to try again while another file of the agent's is imported.
RETRY_SECONDS = 5

OnKnown = Literal["report", "update"]


@dataclass(frozen=True)
class ImportOptions:
    """Whether anything is changed, and what becomes of clients that are known already."""

    dry_run: bool = False
    on_known: OnKnown = "report"


class ClientImports:
    """Imports files of clients, one of an agent's at a time. One per gateway process."""

    def __init__(self, commands: CommandClient, database: Database, quota: DailyQuota) -> None:
        self._commands = commands
        self._quota = quota
        self._database = database
        self._workers = CsvWorkers()
        self._importing: set[UUID] = set()
        self.close = self._workers.close
        self.read = self._workers.read

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

    async def add(self, agent_id: UUID, rows: Rows, base: UUID, options: ImportOptions) -> bytes:
        """Add the clients of a file; return an ImportReport as JSON when the views show them.

        The ids of commands and clients follow from `base` and the line, so that the same file
        under the same base is not imported twice. Raises Unavailable without Kafka: what was
        imported by then is known when the file comes again. Lines beyond the day's quota are
        refused. Who wants no emails is suppressed before being added.
        """
        stored = await self._stored(agent_id, rows.clients)
        zone = await agent_time_zone(self._database, agent_id)
        sequences = await sequences_of(self._database, agent_id)
        lines = [
            _Line(agent_id, row, base, stored.get(row.line), options, zone, sequences)
            for row in rows.clients
        ]
        refused = (
            _refused(n, reasons) for n, reasons in groupby(_drained(rows.refused), itemgetter(0))
        )
        if options.dry_run:
            told = (line.entry(None, dry_run=True) for line in lines)
            return await report_of(chain(refused, told), rows.columns, dry_run=True)
        new = [line for line in lines if line.is_new]
        grant = await self._quota.take(agent_id, len(new))
        beyond = {line.number for line in new[grant.number :]}
        taken = [line for line in lines if line.number not in beyond]
        try:
            await self._commands.execute_all(
                (line.opt_out_id, line.opt_out) for line in taken if line.row.suppressed
            )
            replies = await self._commands.execute_all(
                (line.command_id, line.command) for line in taken if not line.stays
            )
        except Unavailable:
            # The file has to come again, and not at the cost of two.
            await self._quota.give_back(grant, grant.number)
            raise
        rejected = (replies.get(line.command_id) for line in new[: grant.number])
        await self._quota.give_back(grant, sum(isinstance(r, CommandRejected) for r in rejected))
        told = (line.entry(replies.get(line.command_id)) for line in taken)
        late = (_refused(number, [(number, LINE, self._quota.reason)]) for number in beyond)
        return await report_of(chain(refused, told, late), rows.columns, dry_run=False)

    async def _stored(self, agent_id: UUID, clients: Sequence[ClientRow]) -> Mapping[int, Raw]:
        """Return the clients that have the emails of lines already, by the lines.

        It saves crm from refusing a file that comes again, a line at a time.
        """
        # Both have been normalised; the canonical form would keep the event loop for long.
        lines = {row.email.lower(): row.line for row in clients}
        emails = list({search_key(row.email) for row in clients})
        stored: dict[int, Raw] = {}
        for start in range(0, len(emails), LOOKED_UP):
            where = {
                "agent_id": agent_id,
                "search": {"$in": emails[start : start + LOOKED_UP]},
            }
            async for document in self._database["clients"].find(where):
                number = lines.get(document["email"].lower())
                if number is not None:
                    stored[number] = document
        return stored


@dataclass
class _Line:
    """A line that is a client, and the client that has its email already."""

    agent_id: UUID
    row: ClientRow
    base: UUID
    stored: Raw | None
    options: ImportOptions
    agent_time_zone: str | None
    sequences: Sequences

    @property
    def number(self) -> int:
        return self.row.line

    @cached_property
    def command_id(self) -> UUID:
        return uuid5(self.base, f"line {self.number}")

    @property
    def opt_out_id(self) -> UUID:
        return uuid5(self.command_id, "opt-out")

    @cached_property
    def client_id(self) -> UUID:
        id_: UUID = self.stored["_id"] if self.stored else uuid5(self.command_id, "client")
        return id_

    @property
    def is_new(self) -> bool:
        return self.stored is None

    @property
    def is_known(self) -> bool:
        """Whether the client was there before: not from this very import."""
        return self.stored is not None and self.client_id != uuid5(self.command_id, "client")

    @cached_property
    def differing(self) -> Mapping[str, Any]:
        """What the file says otherwise of a client that is known: the fields of a patch."""
        if not self.stored:
            return {}
        fields = json.loads(self.row.fields)
        fields |= fields.pop("personal")
        del fields["email"]
        doubted = {field for field, _ in self.row.warnings if field in ("name", "stage")}
        stored = self.stored
        own = fields.pop("custom_fields", {})
        changed = {
            name: value
            for name, value in fields.items()
            if name not in doubted and stored.get(name) != value
        }
        known = stored.get("custom_fields") or {}
        if more := {name: value for name, value in own.items() if known.get(name) != value}:
            changed["custom_fields"] = more
        return changed

    def _sequence(self, body: Mapping[str, Any]) -> tuple[PlannedSequence | None, list[FieldError]]:
        """Return the sequence to begin, and what is wrong with the name that the line has."""
        stage = body.get("stage", "lead")
        try:
            return self.sequences.chosen(self.row.sequence or None, stage), []
        except InvalidField as wrong:
            reason = f"“{self.row.sequence}” {wrong.reason}; the one of its stage is begun"
            return self.sequences.offered(stage), [FieldError(field=wrong.field, reason=reason)]

    @property
    def opt_out(self) -> SuppressAddress:
        return opt_out_of(self.agent_id, self.client_id, self.row.email, source="agent")

    @property
    def stays(self) -> bool:
        """Whether the client is known and is not changed."""
        return self.is_known and (self.options.on_known == "report" or not self.differing)

    @property
    def command(self) -> Command:
        """The command that adds or changes the client."""
        if not self.is_known:
            body = json.loads(self.row.fields)
            sequence, unknown = self._sequence(body)
            if unknown:
                own = {"sequence": self.row.sequence}
                body["personal"]["custom_fields"] = own | body["personal"].get("custom_fields", {})
            # The worker has validated the fields.
            body["personal"] = NewClientDetails.model_construct(**body["personal"])
            return CreateClient.model_construct(
                agent_id=self.agent_id,
                client_id=self.client_id,
                opted_out=self.row.suppressed,
                agent_time_zone=self.agent_time_zone,
                imported=True,
                sequence=new_plan(sequence),
                **body,
            )
        changes = dict(self.differing)
        kinds = {name: changes.pop(name) for name in ("stage", "property_type") if name in changes}
        return UpdateClient(
            agent_id=self.agent_id,
            client_id=self.client_id,
            personal=ClientDetailsPatch(**changes),
            **kinds,
        )

    def entry(self, reply: Reply | None, *, dry_run: bool = False) -> ImportedLine:
        """Return the line's part of the report, with the reply to its command."""
        entry = ImportedLine(
            line=self.number,
            outcome="updated" if self.is_known else "imported",
            client_id=self.client_id,
            suppressed=self.row.suppressed,
            differs=sorted(self.differing) if self.is_known else [],
            warnings=[
                FieldError(field=field, reason=reason) for field, reason in self.row.warnings
            ],
        )
        if self.row.sequence and not self.is_known:
            entry.warnings += self._sequence(json.loads(self.row.fields))[1]
        if self.stays:
            entry.outcome = "known"
        elif dry_run or isinstance(reply, CommandAccepted):
            entry.client_id = None if dry_run and not self.is_known else self.client_id
        elif reply is None:
            entry.outcome, entry.command_id = "pending", self.command_id
        else:
            taken = (reply.kind, reply.field) == ("conflict", "email")
            entry.outcome, entry.client_id = ("known" if taken else "refused"), None
            entry.errors = [FieldError(field=reply.field or LINE, reason=reply.reason)]
        return entry


def _drained(rows: list[RefusedRow]) -> Iterator[RefusedRow]:
    """Yield the rows, and hold none of them any longer."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _refused(number: int, rows: Iterable[RefusedRow]) -> ImportedLine:
    errors = [FieldError(field=field, reason=reason) for _, field, reason in rows]
    return ImportedLine(line=number, outcome="refused", errors=errors)
