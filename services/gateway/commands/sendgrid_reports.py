"""What SendGrid's reports say, read as they really come; pure.

Fields may be missing, of any type, or named by someone else's custom args: only the name of the
event is needed to know what a report says, and its ids or message id to know of which email.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from contracts.mailer import DeliveryKind, OptOutReason
from contracts.message import Time
from services.gateway.commands.bounces import bounce_kind, drop_kind

KINDS: dict[str, DeliveryKind] = {
    "delivered": "delivered",
    "open": "opened",
    "click": "clicked",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
    "group_resubscribe": "resubscribed",
}
_OPT_OUTS: dict[DeliveryKind, OptOutReason] = {
    "unsubscribed": "unsubscribed",
    "spam_report": "spam_report",
}
# They change nothing.
_IGNORED = ("processed", "deferred")
# Of alerts and notices, which no client gets, only failures matter.
_OWN_MAIL = ("alert_id", "notice_id")
_OWN_MAIL_IGNORED = ("delivered", "opened", "machine_opened", "clicked")
_IDS = ("agent_id", "client_id", "followup_id", "email_id")
# SendGrid is of 2009: what is from before is no time.
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
_TIME: TypeAdapter[datetime] = TypeAdapter(Time)
_LONGEST_REASON = 1_000
_LONGEST_READ = 10_000
_MAX_DOTS = 16
_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
# Characters around an address in a quotation. A match starts only after one: a server may write
# texts of any length, and this keeps the search linear.
_DELIMITERS = r"\s<>()\[\]\"',;:"
_ADDRESS = re.compile(rf"(?<![^{_DELIMITERS}])[^{_DELIMITERS}@]*+@[^{_DELIMITERS}]+")


class Unplaceable(Exception):
    """What the report says, or of which email, cannot be told; `reason` is without its content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class EmailIds:
    """The ids by which mailer knows an email."""

    agent_id: UUID
    client_id: UUID
    followup_id: UUID
    email_id: UUID


@dataclass(frozen=True)
class Report:
    """A report that changes something; the same one has the same `id`, however often it comes.

    `opt_out`: whether, and how, the client has said no; a drop may tell of that, too.
    Where `ids` or `email` are missing, the email is found by its id (`email_id`) or by one of
    `message_ids`, the likeliest first.
    """

    id: UUID
    kind: DeliveryKind
    opt_out: OptOutReason | None
    at: datetime
    email: str | None
    ids: EmailIds | None
    email_id: UUID | None
    message_ids: tuple[str, ...]
    attempt: int | None
    reason: str | None


def read_report(event: object, now: datetime) -> Report | None:
    """Return what an event of a webhook's batch reports; None when it changes nothing.

    A time that is missing, before SendGrid or to come is `now`. Raises Unplaceable.
    """
    if not isinstance(event, dict):
        raise Unplaceable("not an object")
    kind = _kind(event)
    own_mail = any(name in event for name in _OWN_MAIL)
    if kind is None or (own_mail and kind in _OWN_MAIL_IGNORED):
        return None
    if own_mail:
        raise Unplaceable(f"{kind}: of an alert or a notice")
    opt_out = _OPT_OUTS.get(kind)
    return Report(
        id=report_id(event),
        # What was dropped was not delivered, whatever the reason.
        kind="blocked" if opt_out and event["event"] == "dropped" else kind,
        opt_out=opt_out,
        at=_time(event.get("timestamp"), now),
        email=_text(event, "email"),
        ids=_ids(event),
        email_id=_uuid(event.get("email_id")) or _email_in_message_id(event),
        message_ids=_message_ids(event),
        attempt=_attempt(event),
        reason=without_addresses(_reason(event))[:_LONGEST_REASON] or None,
    )


def report_id(event: object) -> UUID:
    """Return the id of the report: SendGrid's, or one that follows from its content."""
    given = _text(event, "sg_event_id") if isinstance(event, dict) else None
    content = given or json.dumps(event, sort_keys=True, default=str)
    return uuid5(NAMESPACE_URL, f"sendgrid:{content}")


def without_addresses(reason: str) -> str:
    """Redact the addresses that servers quote: reasons outlive the deletion of the client."""
    return _ADDRESS.sub("<address>", reason)


def _kind(event: Mapping[str, Any]) -> DeliveryKind | None:
    name = _text(event, "event")
    match name:
        case "bounce":
            return bounce_kind(
                _text(event, "type") or "",
                _text(event, "status") or "",
                _reason(event),
                _text(event, "bounce_classification") or "",
            )
        case "dropped":
            return drop_kind(_reason(event))
        case "open" if str(event.get("sg_machine_open")).lower() in ("true", "1"):
            return "machine_opened"
    if name in _IGNORED:
        return None
    if name not in KINDS:
        raise Unplaceable("event: missing or unknown")
    return KINDS[name]


def _reason(event: Mapping[str, Any]) -> str:
    return (_text(event, "reason") or "")[:_LONGEST_READ]


def _ids(event: Mapping[str, Any]) -> EmailIds | None:
    ids = {name: id_ for name in _IDS if (id_ := _uuid(event.get(name)))}
    return EmailIds(**ids) if len(ids) == len(_IDS) else None


def _attempt(event: Mapping[str, Any]) -> int | None:
    """Return the attempt; up to 0.1.0 its name was that of SendGrid's own count of deferrals."""
    for name in ("send_attempt", "attempt"):
        text = str(event.get(name, ""))
        if text.isascii() and text.isdigit() and len(text) <= len("999"):
            return int(text)
    return None


def _message_ids(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what may be the `X-Message-Id`: beginnings of the message ids, longest first."""
    found: list[str] = []
    smtp_id = (_text(event, "smtp-id") or "").strip().strip("<>").partition("@")[0]
    for id_ in (_text(event, "sg_message_id") or "", smtp_id):
        parts = id_.strip().split(".")[:_MAX_DOTS]
        found += [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return tuple(dict.fromkeys(filter(None, found)))


def _email_in_message_id(event: Mapping[str, Any]) -> UUID | None:
    """Return the id of the email if the Message-ID is one of ours, which has it."""
    found = _UUID.search(_text(event, "smtp-id") or "")
    return UUID(found.group()) if found else None


def _time(value: object, now: datetime) -> datetime:
    try:
        at = _TIME.validate_python(value)
    except ValidationError:
        return now
    return at if _EARLIEST <= at <= now else now


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(event: Mapping[str, Any], field: str) -> str | None:
    value = event.get(field)
    return value if isinstance(value, str) and value.strip() else None
