"""A life, as the services would tell of it, commit by commit.

Every event is decided by the services' own functions, and folded by their own aggregates; the
chance in it is drawn from its name, so that a life is the same every time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid5

from chassis.domain.state import Given
from chassis.eventlog.aggregate import Aggregate, Change, Commit, Recorded, StateDocument
from contracts import crm
from contracts.message import Event
from services.composer.documents import DRAFTS
from services.crm import agent
from services.crm.documents import AGENTS, CLIENTS
from services.mailer.documents import ALERTS, EMAILS, SUPPRESSIONS
from services.scheduler.documents import PLANS

SEED = UUID("00000000-0000-4000-8000-00000000cafe")
DAY = timedelta(days=1)
_SOURCES = {
    **{aggregate.name: "crm" for aggregate in (AGENTS, CLIENTS)},
    PLANS.name: "scheduler",
    DRAFTS.name: "composer",
    **{aggregate.name: "mailer" for aggregate in (EMAILS, SUPPRESSIONS, ALERTS)},
}
# What a decision about an aggregate gives.
Decide = Callable[[Any, Given], Sequence[Event]]


class Life:
    """Tells what happens to an agent or to a client and all that follows, in order.

    `now` only goes on; `told` are the events of the last commit.
    """

    def __init__(self, name: str, at: datetime) -> None:
        self.now = at
        self.chance = Random(f"{SEED} {name}")
        self._namespace = uuid5(SEED, name)
        self._orders = 0
        self.told: tuple[Recorded, ...] = ()
        self._stored: dict[str, StateDocument[Any]] = {}

    @property
    def last(self) -> Any:
        """The last event."""
        return self.told[-1].event

    @property
    def last_id(self) -> UUID:
        """The id of the last event: the cause of what follows from it."""
        return self.told[-1].envelope.id

    def order(self) -> UUID:
        """Give the id of the next command."""
        self._orders += 1
        return uuid5(self._namespace, f"command {self._orders}")

    def pass_time(self, least: float, most: float) -> None:
        """Let a while go by, between so many seconds."""
        seconds = self.chance.uniform(least, most)
        self.now = (self.now + timedelta(seconds=seconds)).replace(microsecond=0)

    def happens(self, share: float) -> bool:
        """Tell whether this happens in this life, if it does in such a share of lives."""
        return self.chance.random() < share

    def state(self, aggregate: Aggregate[Any, Any], of: UUID) -> Any:
        """Give the state, or None when there is none."""
        stored = self._stored.get(f"{aggregate.name}-{of}")
        return stored.state if stored else None

    def due(self, aggregate: Aggregate[Any, Any], of: UUID) -> UUID:
        """Give the cause of due work: the event that set the date. Move on to that date."""
        stored = self._stored[f"{aggregate.name}-{of}"]
        if stored.due_set_by is None or stored.state.due_at is None:
            raise ValueError(f"{aggregate.name}-{of} has nothing to do")
        self.now = max(self.now, stored.state.due_at)
        return stored.due_set_by

    def decided(
        self, aggregate: Aggregate[Any, Any], of: UUID, cause: UUID, decide: Decide
    ) -> Iterator[Commit]:
        """Yield the commit that the decision leads to, which `told` gives afterwards, too."""
        name = f"{aggregate.name}-{of}"
        stored = self._stored.get(name)
        self.pass_time(1, 3)
        events = decide(stored.state if stored else None, Given(self.now, cause))
        change: Change[Any] = aggregate.change(
            of,
            stored,
            events,
            source=_SOURCES[aggregate.name],
            cause=cause,
            correlation=stored.correlation if stored else uuid5(self._namespace, "correlation"),
            at=self.now,
        )
        self._stored[name] = change.document
        self.told = change.commit.events
        yield change.commit


def agent_life(number: int, at: datetime) -> Iterator[Commit]:
    """Tell of an agent, who changes the profile once a month."""
    life = Life(f"agent {number}", at)
    of = agent_id(number)
    order = crm.RegisterAgent(agent_id=of, personal=profile(number))
    yield from life.decided(AGENTS, of, life.order(), lambda a, g: agent.register(a, order, g))
    for month in range(1, 6):
        life.now = at + month * 30 * DAY
        changed = profile(number).model_copy(update={"phone": f"+1 555 {month:04}"})
        command = crm.UpdateAgent(agent_id=of, personal=changed)
        update = partial(_updated, command=command)
        yield from life.decided(AGENTS, of, life.order(), update)


def _updated(known: agent.Agent | None, given: Given, command: crm.UpdateAgent) -> Sequence[Event]:
    return agent.update(known, command, given)


def agent_id(number: int) -> UUID:
    """Give the agent's id."""
    return uuid5(SEED, f"the agent {number}")


def profile(number: int) -> crm.AgentProfile:
    """Give how the agent signs."""
    return crm.AgentProfile(
        name=f"Alex Morgan {number}",
        email=f"alex.{number}@agency.example",
        title="Realtor",
        company="Morgan Homes",
        phone="+1 555 0100",
    )
