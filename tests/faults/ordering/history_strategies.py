"""Hypothesis strategies: scenarios of an agent's clients."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from contracts.crm import Stage
from contracts.mailer import DeliveryKind

Planned = Literal["pending", "moved", "cancelled", "due", "moved and due"]
Changed = Literal["left", "noted", "changed"]
Stopped = Literal["left", "paused", "paused for a while", "cancelled"]
Drafted = Literal["requested", "tried", "composed", "failed", "ordered again", "postponed"]
Sending = Literal[
    "queued", "started", "sent", "sent later", "failed", "withheld", "unknown", "held",
    "resolved as sent", "resent", "postponed", "addressed anew", "withdrawn",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class FollowupScenario:
    """What happens to a follow-up; each field matters only if the one before leads to it.

    `cancelled_when_due`: in the end, by its agent.
    """

    planned: Planned
    drafted: Drafted
    sending: Sending
    reports: tuple[DeliveryKind, ...]
    changed: Changed = "left"
    cancelled_when_due: bool = False

    @property
    def is_composed(self) -> bool:
        """Whether there is an email."""
        return self.drafted in ("composed", "ordered again", "postponed")

    @property
    def leaves_queued(self) -> bool:
        """Whether an email waits in the end, which only its worker would withdraw."""
        return self.is_composed and self.sending == "queued"


@dataclass(frozen=True, slots=True)
class ClientScenario:
    """What happens to a client: stages before and after its first follow-ups.

    `stopped`: what the agent does to its plan after those; "paused for a while" is before them.
    `reassigned`: before its deletion, unless an email waits, which only its worker would withdraw.
    """

    stage: Stage
    before: tuple[Stage, ...]
    followups: tuple[FollowupScenario, ...]
    after: tuple[Stage, ...]
    deleted: bool
    stopped: Stopped = "left"
    reassigned: bool = False

    @property
    def leaves_queued(self) -> bool:
        """Whether an email may still wait in the end."""
        return any(followup.leaves_queued for followup in self.followups)


def _any(literal: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(literal))


def _some(literal: Any, most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(_any(literal), max_size=most).map(tuple)


FOLLOWUPS = st.builds(
    FollowupScenario,
    _any(Planned),
    _any(Drafted),
    _any(Sending),
    _some(DeliveryKind, 3),
    _any(Changed),
    st.booleans(),
)
# The first follow-up of each history gets as far as an email, to cover more.
_FIRST_PLANNED: tuple[Planned, ...] = ("due", "moved and due")
_FIRST_DRAFTED: tuple[Drafted, ...] = ("composed", "ordered again", "postponed")
FIRST = st.builds(
    FollowupScenario,
    st.sampled_from(_FIRST_PLANNED),
    st.sampled_from(_FIRST_DRAFTED),
    _any(Sending),
    _some(DeliveryKind, 3),
    _any(Changed),
    st.booleans(),
)
_BEFORE = st.sampled_from(((), ("negotiating",)))
FIRST_CLIENT = st.builds(
    ClientScenario,
    st.just("lead"),
    _BEFORE,
    st.one_of(st.tuples(FIRST), st.tuples(FIRST, FOLLOWUPS)),
    _some(Stage, 2),
    st.booleans(),
    _any(Stopped),
    st.booleans(),
)
CLIENTS = st.builds(
    ClientScenario,
    st.sampled_from(("lead", "closed")),
    _BEFORE,
    st.tuples(FOLLOWUPS),
    _some(Stage, 1),
    st.booleans(),
    _any(Stopped),
    st.booleans(),
)
CLIENT_SCENARIOS = st.one_of(st.tuples(FIRST_CLIENT), st.tuples(FIRST_CLIENT, CLIENTS))
