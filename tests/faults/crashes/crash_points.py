"""The crash points: every boundary between two I/O steps of every service, by name.

A point is `<step>, before` or `<step>, after`. A step is one transaction, one send to Kafka, one
commit of offsets, one call of a provider. Steps that append and publish are named by the type of
the event: the first commit that has one passes the point.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.catalogue import EVENTS

BEFORE, AFTER = "before", "after"


def around(steps: Iterable[str]) -> tuple[str, ...]:
    """Return the points of the steps."""
    return tuple(f"{step}, {side}" for step in steps for side in (BEFORE, AFTER))


def _of_owner(service: str, *own: str) -> tuple[str, ...]:
    types = [type_.__name__ for topic in EVENTS if topic.writer == service for type_ in topic.types]
    # First those of the switch: it stops once a backlog is set aside, which grows with each crash.
    types.sort(key=lambda name: not name.startswith("Sending"))
    events = [f"{verb} {name}" for name in types for verb in ("append", "publish")]
    # First the steps that only a process takes after one that crashed while publishing.
    recovery = ["restore", "mark published", "checkpoint published", "checkpoint consumed", "seek"]
    return around(
        [
            "checkpoint compared",
            *own,
            *events,
            *recovery,
            "receipt",
            "reply",
            "quarantine",
            "commit offsets",
        ]
    )


POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "crm": _of_owner("crm"),
    "scheduler": _of_owner(
        "scheduler", "view", "claim plans", "postpone", "hold plans", "release plans"
    ),
    "composer": _of_owner(
        "composer", "claim drafts", "postpone", "take place", "settle place", "call"
    ),
    "mailer": _of_owner(
        "mailer",
        "view",
        "stash",
        "forget stashed",
        "claim emails",
        "claim suppressions",
        "claim alerts",
        "claim notices",
        "claim switches",
        "hold emails",
        "release emails",
        "take place",
        "settle place",
        "read objections",
        "call",
        "postpone",
    ),
    "gateway": around(
        [
            # First, while crm crashes, too: only then are replies late.
            "store command",
            "store reply",
            "record use of key",
            "count attempt",
            "add account",
            "command RegisterAgent",
            "mark registered",
            "remember network",
            "begin session",
            "mark deactivated",
            "change activation",
            "end access",
            "command DeactivateAgent",
            "command ReactivateAgent",
            "settle activation",
            "claim request",
            "take quota",
            "return quota",
            "store response",
            "forget responses",
            "command CreateClient",
            "command UpdateClient",
            "command DeleteClient",
            "command CancelFollowup",
            "command RecordReply",
            "command PrepareDraft",
            "command RewriteDraft",
            "command ReviseDraft",
            "command ApproveDraft",
            "command DiscardDraft",
            "command DefineSequence",
            "command RetireSequence",
            "command SuppressAddress",
            "command PauseSending",
            "command ResumeSending",
            "view",
            "checkpoint consumed",
            "seek",
            "quarantine",
            "commit offsets",
        ]
    ),
}
