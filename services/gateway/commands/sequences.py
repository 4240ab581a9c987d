"""Which sequence of follow-ups is meant: by name, or by the client's stage."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from chassis.mongo.client import Database
from contracts.crm import PlannedSequence, Stage
from contracts.sequences import BUILT_IN, NEW_LEAD, name_key
from services.gateway.errors import InvalidField
from services.gateway.read_models.documents import SequenceDocument


class Sequences:
    """The sequences that an agent can choose from: the own ones by name, then the built-in ones."""

    def __init__(self, own: Iterable[PlannedSequence] = ()) -> None:
        self._all: Sequence[PlannedSequence] = (*sorted(own, key=lambda one: one.name), *BUILT_IN)
        self._by_name = {name_key(one.name): one for one in self._all}

    def offered(self, stage: Stage) -> PlannedSequence | None:
        """Return the sequence that clients at this stage are offered."""
        return next((one for one in self._all if stage in one.stages), None)

    def chosen(self, name: str | None, stage: Stage) -> PlannedSequence | None:
        """Return the one that is named, else the one that the stage suggests.

        Raises InvalidField for a name that is not known, and for a closed or lost client unless it
        is meant for that stage.
        """
        if name is None:
            return self.offered(stage)
        found = self._by_name.get(name_key(name))
        if found is None:
            raise InvalidField("sequence", "is not the name of a sequence")
        if stage in ("closed", "lost") and stage not in found.stages:
            raise InvalidField("sequence", f"is not meant for a client that is {stage}")
        return found


def new_plan(chosen: PlannedSequence | None) -> PlannedSequence | None:
    """Return what CreateClient carries: a new lead's steps are the scheduler's own."""
    return None if chosen == NEW_LEAD else chosen


async def sequences_of(database: Database, agent_id: UUID) -> Sequences:
    """Return the agent's sequences."""
    where = {"agent_id": agent_id, "sequence": {"$exists": True}}
    found = database[SequenceDocument.Settings.name].find(where, ["sequence"])
    return Sequences([PlannedSequence.model_validate(raw["sequence"]) async for raw in found])
