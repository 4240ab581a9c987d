"""Every boundary between two I/O steps of every service, by name.

A point is `<step>, before` or `<step>, after`. A step is one transaction, one send to Kafka, one
commit of offsets, one call of a provider. What appends and publishes is named by the type of the
event: the first commit that holds one passes the point.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.catalogue import EVENTS

BEFORE, AFTER = "before", "after"


def around(steps: Iterable[str]) -> tuple[str, ...]:
    """Give the points of the steps."""
    return tuple(f"{step}, {side}" for step in steps for side in (BEFORE, AFTER))


def _of_owner(service: str, *own: str) -> tuple[str, ...]:
    told = [type_.__name__ for topic in EVENTS if topic.writer == service for type_ in topic.types]
    spoken = [f"{verb} {name}" for name in told for verb in ("append", "publish")]
    # First what only a life meets that follows one which died amid publishing.
    topics = ["take in", "mark", "place published", "place consumed", "resume"]
    return around([*own, *spoken, *topics, "receipt", "reply", "quarantine", "commit offsets"])


POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "crm": _of_owner("crm"),
    "scheduler": _of_owner("scheduler", "view", "claim plans", "postpone plans"),
    "composer": _of_owner("composer", "claim drafts", "call"),
    "mailer": _of_owner(
        "mailer",
        "view",
        "claim emails",
        "claim suppressions",
        "claim alerts",
        "read suppressions",
        "call",
        # Late: those that died amid a call have left emails in doubt.
        "postpone suppressions",
    ),
    "gateway": around(
        [
            # First, while crm dies, too: only then are answers late.
            "keep command",
            "settle command",
            "count attempt",
            "add account",
            "command RegisterAgent",
            "settle account",
            "begin session",
            "note request",
            "note answer",
            "command CreateClient",
            "command UpdateClient",
            "command DeleteClient",
            "view",
            "place consumed",
            "resume",
            "quarantine",
            "commit offsets",
        ]
    ),
}
