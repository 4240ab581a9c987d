"""A history of events as the services would append it, commit by commit.

Every event is decided by the services' own functions and folded by their own aggregates. The
name seeds the random numbers, so that a history is the same every time.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid5

from chassis.domain.state import Given
from chassis.eventlog.aggregate import Aggregate, Change, Commit, RecordedEvent, StateDocument
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
# A decision about an aggregate.
Decide = Callable[[Any, Given], Sequence[Event]]


class EventHistory:
    """The commits about an agent, or about a client and all that follows, in order.

    `now` never goes back; `events` are those of the last commit.
    """

    def __init__(self, name: str, at: datetime) -> None:
        self.now = at
        self.rng = Random(f"{SEED} {name}")
        self._namespace = uuid5(SEED, name)
        self._orders = 0
        self.events: tuple[RecordedEvent, ...] = ()
        self._stored: dict[str, StateDocument[Any]] = {}

    @property
    def last(self) -> Any:
        """The last event."""
        return self.events[-1].event

    @property
    def last_id(self) -> UUID:
        """The id of the last event: the cause of the next commit."""
        return self.events[-1].envelope.id

    def next_command_id(self) -> UUID:
        """Return the id of the next command."""
        self._orders += 1
        return uuid5(self._namespace, f"command {self._orders}")

    def pass_time(self, least: float, most: float) -> None:
        """Advance `now` by a random number of seconds between these."""
        seconds = self.rng.uniform(least, most)
        self.now = (self.now + timedelta(seconds=seconds)).replace(microsecond=0)

    def happens(self, share: float) -> bool:
        """Return whether something happens that does in this share of histories."""
        return self.rng.random() < share

    def state(self, aggregate: Aggregate[Any, Any], of: UUID) -> Any:
        """Return the state, or None when there is none."""
        stored = self._stored.get(f"{aggregate.name}-{of}")
        return stored.state if stored else None

    def due(self, aggregate: Aggregate[Any, Any], of: UUID) -> UUID:
        """Advance `now` to the due date; return the cause of due work: the event that set it."""
        stored = self._stored[f"{aggregate.name}-{of}"]
        if stored.due_set_by is None or stored.state.due_at is None:
            raise ValueError(f"{aggregate.name}-{of} has nothing to do")
        self.now = max(self.now, stored.state.due_at)
        return stored.due_set_by

    def decided(
        self, aggregate: Aggregate[Any, Any], of: UUID, cause: UUID, decide: Decide
    ) -> Iterator[Commit]:
        """Yield the commit of the decision's events, and set `events` to them."""
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
        self.events = change.commit.events
        yield change.commit


def agent_history(number: int, at: datetime) -> Iterator[Commit]:
    """Yield the commits of an agent who changes the profile once a month."""
    history = EventHistory(f"agent {number}", at)
    of = agent_id(number)
    order = crm.RegisterAgent(agent_id=of, personal=profile(number))
    yield from history.decided(
        AGENTS, of, history.next_command_id(), lambda a, g: agent.register(a, order, g)
    )
    for month in range(1, 6):
        history.now = at + month * 30 * DAY
        changed = profile(number).model_copy(update={"phone": f"+1 555 {month:04}"})
        command = crm.UpdateAgent(agent_id=of, personal=changed)
        update = partial(_updated, command=command)
        yield from history.decided(AGENTS, of, history.next_command_id(), update)


def _updated(known: agent.Agent | None, given: Given, command: crm.UpdateAgent) -> Sequence[Event]:
    return agent.update(known, command, given)


def agent_id(number: int) -> UUID:
    """Return the agent's id."""
    return uuid5(SEED, f"the agent {number}")


def profile(number: int) -> crm.AgentProfile:
    """Return the agent's profile."""
    return crm.AgentProfile(
        name=f"Alex Morgan {number}",
        email=f"alex.{number}@agency.example",
        title="Realtor",
        company="Morgan Homes",
        phone="+1 555 0100",
    )
