"""A sample aggregate: it counts openings, has a unique label, and may be due."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from pymongo import IndexModel

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from chassis.eventlog.aggregate import DUE, Aggregate, Change, StateDocument
from chassis.inbox.reactor import Reaction
from chassis.mongo.client import UuidDocument
from chassis.projections.views import View
from chassis.recovery.persistence import Store
from contracts.crm import ClientDeleted
from contracts.mailer import (
    DeliveryKind,
    EmailDelivered,
    EmailOpened,
    EmailSent,
    RecordDelivery,
    RecordedAddress,
    SendStarted,
)
from contracts.message import to_milliseconds

AGENT = UUID(int=1)
CLIENT = UUID(int=2)
TallyEvent = EmailOpened | SendStarted | EmailDelivered | EmailSent


class Tally(State):
    """The number of openings; the label is unique."""

    opened: int = 0
    label: str | None = None


class TallyDocument(StateDocument[Tally]):
    """The stored form."""

    class Settings:
        name = "tallies"
        indexes: ClassVar = [
            DUE,
            IndexModel(
                [("state.label", 1)],
                name="unique_label",
                unique=True,
                partialFilterExpression={"state.label": {"$type": "string"}},
            ),
        ]


def evolve(tally: Tally | None, event: TallyEvent) -> Tally:
    """Fold an event."""
    known = tally or Tally()
    match event:
        case EmailOpened():
            return known.model_copy(update={"opened": known.opened + 1})
        case SendStarted():
            return known.model_copy(update={"due_at": event.give_up_at})
        case EmailDelivered():
            return known.model_copy(update={"due_at": None})
        case EmailSent():
            return known.model_copy(update={"label": event.provider_message_id})


TALLIES = Aggregate[Tally, TallyEvent](
    "email",
    TallyDocument,
    evolve,
    unique={"unique_label": Refused("the label is taken", field="label")},
)


def now() -> datetime:
    """Return the time in the precision that the chassis stores."""
    return to_milliseconds(datetime.now(UTC))


def about(of: UUID) -> dict[str, Any]:
    """Return the fields of every event of a tally."""
    return {"agent_id": AGENT, "client_id": CLIENT, "followup_id": of, "email_id": of}


def opened(of: UUID) -> EmailOpened:
    """Return one more opening."""
    return EmailOpened(**about(of), at=now())


def wanting(of: UUID, at: datetime) -> SendStarted:
    """Return an event that makes it due at that time."""
    return SendStarted(**about(of), attempt=1, started_at=now(), give_up_at=at)


def rested(of: UUID) -> EmailDelivered:
    """Return an event after which it is not due."""
    return EmailDelivered(**about(of), at=now())


def labelled(of: UUID, label: str) -> EmailSent:
    """Return an event that sets the label."""
    return EmailSent(**about(of), attempt=1, provider_message_id=label, sent_at=now())


def change(
    of: UUID,
    *events: TallyEvent,
    stored: StateDocument[Tally] | None = None,
    cause: UUID | None = None,
    at: datetime | None = None,
) -> Change[Tally]:
    """Return the change of the events, onto what is stored."""
    return TALLIES.change(
        of,
        stored,
        events,
        source="mailer",
        cause=cause or uuid4(),
        correlation=uuid4(),
        at=at or now(),
    )


def order(of: UUID, kind: DeliveryKind, reason: str | None = None) -> RecordDelivery:
    """Return a command to a tally; see `obey`."""
    personal = RecordedAddress(email="canary@mail.example")
    return RecordDelivery(**about(of), kind=kind, at=now(), reason=reason, personal=personal)


def obey(tally: Tally | None, command: RecordDelivery, given: Given) -> list[TallyEvent]:
    """Count an opening; set a label; do nothing; refuse; or fail as a bug does."""
    match command.kind:
        case "opened":
            return [opened(command.email_id)]
        case "delivered":
            return []
        case "unsubscribed":
            return [labelled(command.email_id, command.reason or "")]
        case "bounced":
            raise Refused("bounces are refused", field="kind", kind="invalid")
        case _:
            raise ZeroDivisionError(command.personal.email)


OBEY = Reaction(TALLIES, lambda command: command.email_id, obey)


def count_deletion(tally: Tally | None, event: ClientDeleted, given: Given) -> list[TallyEvent]:
    """Count one opening for a client's first deletion, and refuse another."""
    if tally:
        raise Refused("deleted already")
    return [opened(event.client_id)]


COUNT_DELETION = Reaction(TALLIES, lambda event: event.client_id, count_deletion)


class SeenDocument(UuidDocument):
    """How many events were seen about a client."""

    events: int = 0

    class Settings:
        name = "seen"


def see(known: SeenDocument | None, event: ClientDeleted | EmailOpened, id_: UUID) -> SeenDocument:
    """Count the event. One agent's events are more than the view can take."""
    if event.agent_id != AGENT:
        raise ZeroDivisionError
    return SeenDocument(id=id_, events=(known.events if known else 0) + 1)


SEEN = View(SeenDocument, lambda event: (event.client_id,), see, (ClientDeleted, EmailOpened))

STORE = Store(aggregates=(TALLIES,), views=(SEEN,))
