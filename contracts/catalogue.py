"""The topics: who writes and reads each, its types of message, how long it is retained."""

from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from contracts import composer, crm, mailer, notices, replies, scheduler, sequences
from contracts.message import Message
from contracts.services import SERVICES

DEFAULT_PREFIX = "realtoros."
PARTITIONS = 12
FOREVER = timedelta(milliseconds=-1)
COMMANDS_KEPT = timedelta(days=7)
EVERY_OWNER = "every owner"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `name` is without the prefix; `retention` is FOREVER for event topics.

    `compacted`: Kafka keeps the latest record of each key, and none after a tombstone.
    """

    name: str
    writer: str
    types: tuple[type[Message], ...]
    readers: tuple[str, ...]
    retention: timedelta
    compacted: bool = False

    @property
    def writers(self) -> tuple[str, ...]:
        """The services that write to it: readers take nothing that another has written there."""
        return OWNERS if self.writer == EVERY_OWNER else (self.writer,)


def _events(name: str, writer: str, union: object, *readers: str) -> Topic:
    return Topic(name, writer, get_args(union), readers, FOREVER)


def _commands(name: str, owner: str, *types: type[Message]) -> Topic:
    return Topic(f"{name}.commands", "gateway", types, (owner,), COMMANDS_KEPT)


EVENTS = (
    _events(
        "agents", "crm", crm.AgentEvent | sequences.SequenceEvent, "scheduler", "mailer", "gateway"
    ),
    _events("clients", "crm", crm.ClientEvent, "scheduler", "mailer", "gateway"),
    _events("followups", "scheduler", scheduler.FollowupEvent, "composer", "mailer", "gateway"),
    _events("drafts", "composer", composer.DraftEvent, "mailer", "gateway"),
    # Mailer reads its own events, too: a reaction raises an alert for each failure.
    _events(
        "emails",
        "mailer",
        mailer.EmailEvent | mailer.SuppressionEvent | mailer.SendingEvent,
        "scheduler",
        "mailer",
        "gateway",
    ),
    _events("alerts", "mailer", mailer.AlertEvent),
    _events("notices", "mailer", notices.NoticeEvent),
)
COMMANDS = (
    _commands(
        "agents",
        "crm",
        crm.RegisterAgent,
        crm.UpdateAgent,
        crm.DeactivateAgent,
        crm.ReactivateAgent,
        sequences.DefineSequence,
        sequences.RetireSequence,
    ),
    _commands(
        "clients", "crm", crm.CreateClient, crm.UpdateClient, crm.ReassignClient, crm.DeleteClient
    ),
    _commands(
        "followups",
        "scheduler",
        scheduler.RescheduleFollowup,
        scheduler.ChangeFollowup,
        scheduler.CancelFollowup,
        scheduler.StartPlan,
        scheduler.AddFollowup,
        scheduler.RecordReply,
        scheduler.PausePlan,
        scheduler.ResumePlan,
        scheduler.CancelPlan,
    ),
    _commands(
        "drafts",
        "composer",
        composer.RetryDraft,
        composer.PrepareDraft,
        composer.RewriteDraft,
        composer.ReviseDraft,
        composer.ApproveDraft,
        composer.DiscardDraft,
    ),
    _commands(
        "emails",
        "mailer",
        mailer.ResolveEmail,
        mailer.RecordDelivery,
        mailer.SuppressAddress,
        mailer.ReleaseSuppression,
        mailer.PauseSending,
        mailer.ResumeSending,
        notices.SendNotice,
    ),
)
# The services that carry out commands.
OWNERS = tuple(dict.fromkeys(owner for topic in COMMANDS for owner in topic.readers))
REPLIES = Topic(
    "replies",
    EVERY_OWNER,
    (replies.CommandAccepted, replies.CommandRejected),
    ("gateway",),
    timedelta(hours=1),
)
QUARANTINES = tuple(
    Topic(f"{owner}.quarantine", owner, (), ("operators",), FOREVER, compacted=True)
    for owner in SERVICES
)
# What an operator retries from a service's quarantine goes to that service alone.
RETRIES = tuple(
    Topic(f"{owner}.retries", "operators", (), (owner,), COMMANDS_KEPT) for owner in SERVICES
)
TOPICS = (*EVENTS, *COMMANDS, REPLIES, *QUARANTINES, *RETRIES)

TYPES: dict[str, type[Message]] = {t.wire_name: t for topic in TOPICS for t in topic.types}
# The one topic of each type.
TOPIC_OF: dict[type[Message], Topic] = {t: topic for topic in TOPICS for t in topic.types}

# The story of a follow-up, as logs tell it: the steps, and what each is called there.
MILESTONES: dict[type[Message], str] = {
    scheduler.FollowupDue: "followup_due",
    composer.EmailComposed: "email_composed",
    mailer.EmailSent: "email_sent",
}


def topic_of(message: type[Message]) -> str:
    """Return the name, without prefix, of the topic of this type."""
    return TOPIC_OF[message].name


def owner_of(command: type[Message]) -> str:
    """Return the service that carries out commands of this type."""
    [owner] = TOPIC_OF[command].readers
    return owner


def read_by(reader: str) -> tuple[str, ...]:
    """Return the names, without prefix, of the topics that a service reads as its group."""
    return tuple(topic.name for topic in (*EVENTS, *COMMANDS, *RETRIES) if reader in topic.readers)
