"""Sample plans: of a client created at noon, with days of 24 hours."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID, uuid5

from chassis.domain.sending_hours import Calendar
from chassis.domain.state import Given
from contracts.crm import AgentProfile, ClientCreated, ClientDetails
from contracts.scheduler import FollowupEvent, Recipient
from services.scheduler.plan import KnownClient, Plan, evolve, fall_due
from services.scheduler.plan_additions import plan_followups

AGENT = UUID(int=1)
CLIENT = UUID(int=2)
DAY = timedelta(days=1)
CALENDAR = Calendar(DAY)
ALWAYS = CALENDAR.window(None)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MARIA = ClientDetails(name="Maria Lopez", email="maria@mail.example")
DANA = AgentProfile(name="Dana Reed", email="dana@reed.example")
KNOWN = KnownClient(
    stage="lead", property_type="land", recipient=Recipient(client=MARIA, agent=DANA)
)


def at(days: float) -> Given:
    """Return the time so many days after noon, with a cause of its own."""
    now = NOON + days * DAY
    return Given(now, uuid5(CLIENT, now.isoformat()))


def created(**fields: Any) -> ClientCreated:
    """Return a client that was created at noon."""
    plain: dict[str, Any] = {
        "agent_id": AGENT,
        "client_id": CLIENT,
        "stage": "lead",
        "property_type": "land",
        "created_at": NOON,
        "personal": MARIA,
    }
    return ClientCreated(**plain | fields)


def folded(plan: Plan | None, events: Iterable[FollowupEvent]) -> Plan:
    """Fold the events onto the plan."""
    result = reduce(evolve, events, plan)
    assert result
    return result


def planned() -> Plan:
    """Return the plan of a new client: days 1, 3, 7, 14 and 30."""
    return folded(None, plan_followups(None, created(), at(0), calendar=CALENDAR))


def due_at(plan: Plan, days: float) -> list[FollowupEvent]:
    """Let what is due fall due."""
    return fall_due(plan, at(days), client=KNOWN, calendar=CALENDAR, window=ALWAYS)


def days_of(plan: Plan) -> list[float]:
    """Return the dates of the pending follow-ups, in days after noon."""
    return [(f.scheduled_for - NOON) / DAY for f in plan.pending]
