"""What changes of clients and of follow-ups have in common: how many, and what became of each."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID, uuid5

from litestar.exceptions import PermissionDeniedException

from contracts.message import Command
from contracts.replies import CommandAccepted, CommandRejected
from services.gateway.commands.replies import Reply
from services.gateway.errors import Conflict, InvalidField
from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.read_models.schemas.bulk import MOST_CHANGED, BulkOutcome, BulkReport

# What is to be done with each, or what became of it without a command.
Decisions = Mapping[UUID, Command | BulkOutcome]


class Accepted(NamedTuple):
    """A command that was carried out."""

    command: Command
    command_id: UUID
    reply: CommandAccepted


class Changed(NamedTuple):
    """What became of each, and by which command, in the order in which they were selected."""

    outcomes: dict[UUID, BulkOutcome]
    accepted: dict[UUID, Accepted]


def require_reader(request: ApiRequest) -> None:
    """Raise PermissionDeniedException for a key that may not know what a filter finds."""
    if not request.user.may_read:
        raise PermissionDeniedException("a filter needs the scope read: name the ids")


def require_expected(found: int, expected: int) -> None:
    """Raise Conflict when others are selected now; InvalidField when they are too many."""
    if found > MOST_CHANGED:
        raise InvalidField("selection", f"selects more than {MOST_CHANGED:,}: narrow the filter")
    if found != expected:
        raise Conflict(f"{found} are selected now, not {expected}: look at them again")


async def change_each(request: ApiRequest, decisions: Decisions) -> Changed:
    """Carry out the commands, and return what became of each.

    A command's id follows from the request's and that of what it changes: sent again, the request
    does nothing twice. Raises Unavailable without Kafka; some of it may be carried out then.
    """
    base = command_id_of(request)
    commands = {
        id_: (uuid5(base, str(id_)), one)
        for id_, one in decisions.items()
        if isinstance(one, Command)
    }
    replies = await context_of(request).commands.execute_all(commands.values())
    outcomes = {
        id_: one if isinstance(one, BulkOutcome) else _outcome(id_, commands[id_][0], replies)
        for id_, one in decisions.items()
    }
    accepted = {
        id_: Accepted(command, command_id, reply)
        for id_, (command_id, command) in commands.items()
        if isinstance(reply := replies.get(command_id), CommandAccepted)
    }
    return Changed(outcomes, accepted)


def report(by_id: Mapping[UUID, BulkOutcome]) -> BulkReport:
    """Return the outcomes with their counts."""
    outcomes = list(by_id.values())
    count = [one.outcome for one in outcomes].count
    return BulkReport(
        done=count("done"),
        unchanged=count("unchanged"),
        refused=count("refused"),
        pending=count("pending"),
        outcomes=outcomes,
    )


def unchanged(id_: UUID) -> BulkOutcome:
    """Return that it was so before."""
    return BulkOutcome(id=id_, outcome="unchanged")


def refused(id_: UUID, reason: str = NOT_FOUND) -> BulkOutcome:
    """Return why it was not changed."""
    return BulkOutcome(id=id_, outcome="refused", reason=reason)


def _outcome(id_: UUID, command_id: UUID, replies: Mapping[UUID, Reply]) -> BulkOutcome:
    reply = replies.get(command_id)
    if reply is None:
        return BulkOutcome(id=id_, outcome="pending", command_id=command_id)
    if isinstance(reply, CommandRejected):
        return refused(id_, reply.reason)
    return BulkOutcome(id=id_, outcome="done")
