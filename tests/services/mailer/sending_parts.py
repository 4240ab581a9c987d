"""What the worker for emails needs, on a database of the test's own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis.calls.call_limit import CallLimit
from chassis.domain.retry import RetryPolicy
from chassis.domain.sending_hours import Calendar
from chassis.eventlog.aggregate import Aggregate
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.waiting import WaitingWork
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Database
from chassis.mongo.daily_limit import DailyLimit, DailyPlaces
from chassis.process.dependency_health import DependencyHealth
from contracts.message import Event, to_milliseconds
from services.mailer.documents import (
    CLIENTS,
    EMAILS,
    INACTIVE_AGENTS,
    SUPPRESSIONS,
    SWITCHES,
    ClientDocument,
    InactiveAgentDocument,
    SuppressionDocument,
    SwitchDocument,
)
from services.mailer.email_worker import SendDependencies
from services.mailer.letters.threads import LastLetters
from services.mailer.sending.hours import AGENT_HOURS, AgentHoursDocument, EmailHours
from services.mailer.sending.objections import Objections
from services.mailer.sending.recipients import RECIPIENTS, RecipientDocument
from services.mailer.sending.send_policy import SendPolicy
from services.mailer.transports.transport import OutgoingLetter, Transport
from tests.services.mailer.sample_letters import ENDINGS

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# Without sending hours.
ALWAYS = Calendar(DAY)
POLICY = SendPolicy(MINUTE, 2 * MINUTE, MINUTE, "hold", RetryPolicy(MINUTE, 3))


class Accepting:
    """A transport that accepts everything."""

    def __init__(self) -> None:
        self.letters: list[OutgoingLetter] = []

    @property
    def attempts(self) -> list[int]:
        return [letter.attempt for letter in self.letters]

    async def send(self, letter: OutgoingLetter) -> str | None:
        self.letters.append(letter)
        return "m1"

    async def close(self) -> None:
        """Nothing to close."""


def dependencies(
    database: Database,
    transport: Transport,
    *,
    inactive: Any = None,
    suppressions: Any = None,
    emails_per_day: int = 0,
    across_agents: bool = False,
    calendar: Calendar = ALWAYS,
) -> SendDependencies:
    """Return what the worker needs; what is not given reads the store."""
    inactive = inactive or BatchLoader(database, INACTIVE_AGENTS.collection, InactiveAgentDocument)
    switches = BatchLoader(database, SWITCHES.collection, SwitchDocument)
    recipients = BatchLoader(database, RECIPIENTS.collection, RecipientDocument)
    objections = Objections(
        BatchLoader(database, CLIENTS.collection, ClientDocument),
        recipients,
        suppressions or BatchLoader(database, SUPPRESSIONS.collection, SuppressionDocument),
        inactive,
        switches,
        database[SUPPRESSIONS.collection] if across_agents else None,
    )
    return SendDependencies(
        transport,
        objections,
        DailyPlaces(database, DailyLimit(emails_per_day, DAY, MINUTE)),
        inactive,
        switches,
        POLICY,
        CallLimit(1, 64),
        DependencyHealth(),
        LastLetters(database, EMAILS.collection),
        ENDINGS,
        None,
        WaitingWork(database, EMAILS, "queued", "sending"),
        EmailHours(
            calendar, BatchLoader(database, AGENT_HOURS.collection, AgentHoursDocument), recipients
        ),
    )


async def append(
    log: EventLog, aggregate: Aggregate[Any, Any], id_: UUID, *events: Event, stored: Any = None
) -> None:
    """Append the events to the stream, which holds `stored`."""
    change = aggregate.change(
        id_,
        stored,
        events,
        source="mailer",
        cause=uuid4(),
        correlation=uuid4(),
        at=to_milliseconds(datetime.now(UTC)),
    )
    assert await log.append([change]) == [None]
