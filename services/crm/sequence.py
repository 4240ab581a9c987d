"""A sequence of an agent's own: defined whole, anew as often as wanted, retired."""

from typing import assert_never
from uuid import UUID

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.crm import PlannedSequence
from contracts.sequences import (
    BUILT_IN,
    DefineSequence,
    RetireSequence,
    SequenceDefined,
    SequenceEvent,
    SequenceRetired,
    name_key,
)
from contracts.steps import first_misplaced

_RESERVED = {name_key(one.name) for one in BUILT_IN}


class Sequence(State):
    """A sequence. A retired one is a tombstone; `name_key`: its name, for the unique index."""

    agent_id: UUID
    sequence_id: UUID
    sequence: PlannedSequence | None = None
    name_key: str | None = None


def evolve(known: Sequence | None, event: SequenceEvent) -> Sequence:
    """Fold an event."""
    about = {"agent_id": event.agent_id, "sequence_id": event.sequence_id}
    match event:
        case SequenceDefined():
            return Sequence(
                **about, sequence=event.sequence, name_key=name_key(event.sequence.name)
            )
        case SequenceRetired():
            return Sequence(**about)
        case _:
            assert_never(event)


def define(known: Sequence | None, command: DefineSequence, given: Given) -> list[SequenceEvent]:
    """Define the sequence, or define it anew. Refuses steps that are out of order or on one day.

    The unique index refuses the name of another one.
    """
    wanted = command.sequence
    if known and _own(known, command).sequence == wanted:
        return []
    if name_key(wanted.name) in _RESERVED:
        raise Refused("is the name of a built-in sequence", field="name")
    if "lost" in wanted.stages:
        raise Refused("lost clients get no follow-ups", field="stages", kind="invalid")
    if (number := first_misplaced(wanted.steps)) is not None:
        reason = "is not after the step before it" if number else "is not after the first day"
        raise Refused(reason, field=f"steps.{number}.days", kind="invalid")
    return [
        SequenceDefined(
            agent_id=command.agent_id,
            sequence_id=command.sequence_id,
            sequence=wanted,
            defined_at=given.now,
        )
    ]


def retire(known: Sequence | None, command: RetireSequence, given: Given) -> list[SequenceEvent]:
    """Retire the sequence and free its name."""
    own = _own(known, command)
    return [
        SequenceRetired(agent_id=own.agent_id, sequence_id=own.sequence_id, retired_at=given.now)
    ]


def _own(known: Sequence | None, command: DefineSequence | RetireSequence) -> Sequence:
    if known is None or known.sequence is None or known.agent_id != command.agent_id:
        raise Refused("sequence not found", kind="not_found")
    return known
