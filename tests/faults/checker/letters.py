"""Letters: sent as they were composed, and composed as they were approved."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.faults.checker.facts import Event, Facts
from tests.faults.checker.sends import Call
from tests.faults.checker.verdict import Anomaly


def drafts(facts: Facts) -> Iterator[Anomaly]:
    """A draft that was discarded stays so, but for one that was made ahead of its date."""
    for followup in facts.followups.values():
        discarded, ahead = None, False
        for event in followup.draft:
            if event.type == "DraftRequested":
                discarded = None if ahead else discarded
                ahead = bool(event.data.get("ahead_of"))
            if discarded:
                detail = f"{event.type} {event.location} after DraftDiscarded {discarded.location}"
                yield Anomaly("stale state", followup.id, detail)
            discarded = event if event.type == "DraftDiscarded" else discarded


def approvals(facts: Facts) -> Iterator[Anomaly]:
    """What needs the agent's approval is composed with just the text that was approved."""
    for followup in facts.followups.values():
        said = _Said()
        for event in followup.draft:
            if event.type == "EmailComposed" and (wrong := said.wrong_with(event)):
                yield Anomaly("unwanted", followup.id, f"EmailComposed {event.location} {wrong}")
            said.hear(event)


def texts(facts: Facts, accepted: Iterable[Call]) -> Iterator[Anomaly]:
    """What the provider got begins with the body that was composed, under its subject."""
    for call in accepted:
        composed = [
            _text(event.data["personal"])
            for event in facts.followups[call.followup_id].draft
            if event.type == "EmailComposed"
        ]
        if not any(call.subject == sub and call.text.startswith(body) for sub, body in composed):
            yield Anomaly("unwanted", call.followup_id, f"{call} has another text")


class _Said:
    """What a draft's events have said so far of its letter, and of its approval."""

    def __init__(self) -> None:
        self.own: str | None = None
        self.needed = self.flagged = self.approved = False
        self.letter: tuple[str, str] | None = None

    def wrong_with(self, composed: Event) -> str | None:
        """Return what is wrong with the letter that is composed now."""
        if (self.needed or self.flagged) and not self.approved:
            return "without approval"
        if self.letter and _text(composed.data["personal"]) != self.letter:
            return "with another text"
        return None

    def hear(self, event: Event) -> None:
        """Take in the next event."""
        personal = event.data.get("personal") or {}
        match event.type:
            case "DraftRequested" | "DraftFellDue":
                if event.type == "DraftRequested":
                    self.own = event.data.get("review")
                    self.flagged, self.approved, self.letter = False, False, None
                self.needed = _review(self.own, personal) == "approve"
            case "DraftWritten" | "DraftRevised":
                self.letter, self.approved = _text(personal), False
            case "CompositionFailed" if personal:
                self.letter, self.flagged = _text(personal["letter"]), True
                self.approved = False
            case "DraftApproved":
                self.approved = True


def _review(own: str | None, recipient: Mapping[str, Any]) -> str | None:
    """Return what is said of reviews: of the draft, else of the client, else by the agent."""
    said = ((recipient.get(of) or {}).get("review") for of in ("client", "agent"))
    return own or next(filter(None, said), None)


def _text(letter: Mapping[str, Any]) -> tuple[str, str]:
    return letter["subject"], letter["body"]
