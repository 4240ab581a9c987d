"""Mailer's view of recipients equals the checker's own fold of the topics.

An anomaly shows neither names nor addresses.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.checker.facts import Event, Facts
from tests.faults.checker.verdict import Anomaly

_PERSONAL = ("name", "email")


def recipients(facts: Facts) -> Iterator[Anomaly]:
    """Compare the view with what crm and scheduler have published of each client."""
    if "mailer" not in facts.history.stored:
        return
    found = facts.history.stored["mailer"].get("recipients", ())
    shown = {str(document["_id"]): document for document in found}
    expected: dict[str, dict[str, Any]] = defaultdict(dict)
    for stream, events in facts.published.items():
        if stream.startswith(("client-", "plan-")):
            for event in events:
                _fold(expected, event)
    for id_ in sorted(shown.keys() | expected.keys()):
        if id_ not in expected or id_ not in shown:
            where = "no topic" if id_ not in expected else "not in the view"
            yield Anomaly("stale state", id_, f"mailer.recipients: {where}")
            continue
        for name, value in expected[id_].items():
            if _shown(shown[id_], name) != value:
                detail = f"mailer.recipients has another {name} than the topics"
                yield Anomaly("stale state", id_, detail)


def _fold(expected: dict[str, dict[str, Any]], event: Event) -> None:
    known = event.data["client_id"]
    match event.type:
        case "ClientCreated" | "ClientUpdated":
            personal = event.data["personal"]
            expected[known] |= {"name": personal["name"], "email": personal["email"]}
        case "ClientDeleted":
            expected[known] = {n: v for n, v in expected[known].items() if n not in _PERSONAL}
        case "PlanPaused":
            expected[known]["paused_at"] = event.time("paused_at")
        case "PlanResumed":
            expected[known]["paused_at"] = None
        case "DueFollowupCancelled":
            one = (event.data["followup_id"], event.data["reason"])
            expected[known].setdefault("cancelled", []).append(one)


def _shown(document: Mapping[str, Any], name: str) -> Any:
    value = document.get(name)
    if name != "cancelled":
        return value
    return [(str(each["followup_id"]), each["reason"]) for each in value or ()]
