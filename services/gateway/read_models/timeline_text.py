"""Sentences for agents on what happened: pure, from an event's type and data."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

# By event type; in braces the follow-up, or a field of the event.
SENTENCES = {
    "ClientCreated": "Client was added",
    "ClientUpdated": "Client was changed",
    "ClientReassigned": "Client belongs to another agent now",
    "ClientDeleted": "Client was deleted",
    "FollowupsPlanned": "{followups} planned",
    "FollowupsAdded": "{followups} added",
    "FollowupDue": "{followup} is due",
    "FollowupRescheduled": "{followup} was moved to {scheduled_for}",
    "FollowupCancelled": "{followup} was cancelled: {reason}",
    "DueFollowupCancelled": "{followup} is not to be sent any more: {reason}",
    "FollowupChanged": "{followup} was changed: priority {priority}",
    "ClientReplied": "The client replied",
    "PlanPaused": "The follow-ups were paused",
    "PlanResumed": "The follow-ups go on",
    "PlanDeleted": "The texts of all letters were deleted",
    "DraftRequested": "{followup} is being written",
    "CompositionAttemptFailed": "{followup} could not be written, next try {retry_at}: {error}",
    "EmailComposed": "{followup} was written",
    "DraftWritten": "{followup} was written, and waits to be sent",
    "DraftRevised": "The letter of {followup} was changed",
    "DraftApproved": "The letter of {followup} was approved",
    "CompositionFailed": "{followup} was not written: {error}",
    "DraftPostponed": "{followup} waits to be written until {until}: {reason}",
    "DraftFellDue": "{followup}, which was written before, is due",
    "DraftDiscarded": "The letter of {followup} was given up: {reason}",
    "EmailQueued": "Email is ready to be sent",
    "SendStarted": "Email is being sent",
    "SendAttemptFailed": "Email could not be sent, next try {retry_at}: {error}",
    "EmailSent": "Email was sent",
    "EmailFailed": "Email was not sent: {error}",
    "EmailWithheld": "Email was held back: {reason}",
    "EmailWithdrawn": "Email was withdrawn: {reason}",
    "EmailPostponed": "Email waits to be sent until {until}: {reason}",
    "SendOutcomeUnknown": "Whether the email was sent is not known: {error}",
    "EmailHeld": "Whether the email was sent is for you to settle: {error}",
    "EmailDelivered": "Email was delivered",
    "EmailOpened": "Email was opened",
    "EmailMachineOpened": "Email was opened by a mail program, perhaps by nobody",
    "EmailClicked": "A link in the email was clicked",
    "EmailBounced": "Email bounced: {reason}",
    "AddressSuppressed": "No more emails to this address: {reason}",
    "AddressResubscribed": "The client wants emails again",
    "SuppressionReleased": "This address may be written to again: {reason}",
}
_REASONS = {
    "client_deleted": "the client was deleted",
    "client_closed": "the deal with the client is closed",
    "client_lost": "the client is lost",
    "client_reassigned": "the client belongs to another agent now",
    "plan_paused": "the follow-ups are paused",
    "daily_limit": "the day's limit is reached",
    "sending_hours": "emails leave in the sending hours",
    "provider_away": "the language model is away",
    "by_agent": "you decided so",
    "unsubscribed": "the client opted out",
    "spam_report": "the client reported an email as spam",
    "bounced": "it does not take emails",
    "address_bounced": "the client's address does not take emails",
    "client_replied": "the client has replied",
    "unapproved": "nobody has approved it in time",
    "address_suppressed": "this address must not be written to any more",
}


def describe(type_: str, data: Mapping[str, Any], followup: str | None) -> str:
    """Return a sentence without a full stop.

    `followup` is the type of the event's follow-up ("Day 1"), where it is known. For an event type
    without a sentence, return its name, spaced.
    """
    sentence = SENTENCES.get(type_)
    if sentence is None:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).capitalize()
    if type_ == "PlanPaused" and data.get("reason"):
        sentence += ": {reason}"
    fields = {name: _text(value) for name, value in data.items()}
    if data.get("detail"):
        fields["reason"] = fields["detail"]
    fields["followup"] = f"Follow-up {followup}" if followup else "A follow-up"
    return sentence.format_map(fields)


def _text(value: Any) -> str:
    match value:
        case None:
            return "no reason was given"
        case datetime():
            return f"{value:%a} {value.day} {value:%b %Y, %H:%M} UTC"
        case list() | tuple():
            return "1 follow-up was" if len(value) == 1 else f"{len(value)} follow-ups were"
    return _REASONS.get(str(value), str(value))
