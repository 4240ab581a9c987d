"""The checker sees classic mistakes: each is planted, provoked, and has to be found.

The same stories without a bug are told once, too, and nothing must be found in them.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ops.services import SERVICES
from tests.faults.checker.checker import Kind, check
from tests.faults.checker.settling import until_settled
from tests.faults.crashes.planted_bugs import BUGS
from tests.faults.crashes.private_system import Stage, staged
from tests.servers import Server

_SETTINGS = {
    "RETRY_BASE_SECONDS": "0.3",
    "CALL_TIMEOUT_SECONDS": "2",
    "LEASE_SECONDS": "3",
    "MAILER_RECONCILE_SECONDS": "1",
    "SCHEDULER_POLL_SECONDS": "0.5",
    "COMMAND_TIMEOUT_SECONDS": "15",
}


async def a_month(stage: Stage) -> None:
    """A client gets its follow-ups; the provider's first answer is lost."""
    await stage.sendgrid.order({"drop": "after"})
    await stage.add("ann")
    await stage.until_months_ended()


async def a_refusal(stage: Stage) -> None:
    """A client is added twice; the second time is refused."""
    await stage.add("ann")
    await stage.add_again("ann")
    await stage.until_months_ended()


async def changes(stage: Stage) -> None:
    """One client is changed, another deleted, and a producer repeats what it said before."""
    ann, ben = await stage.add("ann"), await stage.add("ben")
    await stage.change(ann, notes="wants a garden")
    await stage.delete(ben)
    await stage.until_logged("scheduler", "realtoros.FollowupCancelled.v1")
    await stage.repeat("clients", "realtoros.ClientCreated.v1", ben)
    await stage.until_read("gateway", "clients")
    await stage.change(ann, stage="closed")


async def a_no_amid_sending(stage: Stage) -> None:
    """A client opts out while an email to it is on its way, or about to be."""
    client = await stage.add("ann")
    await stage.until_told("mailer", "held")
    await stage.change(client, stage="lost")
    await stage.opt_out("ann")
    await stage.until_logged("mailer", "realtoros.SuppressionConfirmed.v1")
    stage.release()


@dataclass(frozen=True)
class Telling:
    """A story, how many seconds a day has in it, which services it needs and what they are told."""

    story: Callable[[Stage], Awaitable[None]]
    day: str
    own: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: Sequence[str] = SERVICES


@dataclass(frozen=True)
class Found:
    """What the checker has to find: an anomaly of this kind whose detail matches."""

    service: str
    telling: Telling
    kind: Kind
    detail: str


def _dies(service: str, at: str) -> Telling:
    return Telling(a_month, "0.06", {service: {"CRASH_AT": at}})


def _changes(own: Mapping[str, Mapping[str, str]]) -> Telling:
    # Nothing falls due, so nobody is needed to write and send.
    return Telling(changes, "3600", own, ("crm", "scheduler", "gateway"))


_HELD = {"mailer": {"HOLD_AT": "request"}}
_ABOUT_TO_START = {"mailer": {"HOLD_AT": "suppressions read"}}
FOUND: Mapping[str, Found] = {
    "acknowledge_first": Found(
        "mailer",
        _dies("mailer", "append EmailQueued, before"),
        "lost",
        "no EmailQueued after EmailComposed",
    ),
    "publish_first": Found("crm", Telling(a_refusal, "0.06"), "stale state", "in no log"),
    "mark_first": Found(
        "composer", _dies("composer", "publish EmailComposed, before"), "lost", "not in the topic"
    ),
    "publish_backwards": Found("scheduler", _changes({}), "stale state", "published out of order"),
    "state_outside": Found(
        "crm",
        _changes({"crm": {"CRASH_AT": "after ClientDeleted, before its state"}}),
        "stale state",
        "crm.clients has version 1, the log 2",
    ),
    "forget_causes": Found(
        "mailer", _dies("mailer", "append EmailQueued, after"), "duplicate", "accepted twice"
    ),
    "apply_repeats": Found(
        "gateway",
        _changes({}),
        "stale state",
        "gateway.clients says stage is lead, the topics say None",
    ),
    "count_from_the_clock": Found(
        "scheduler",
        _dies("scheduler", "append FollowupsPlanned, before"),
        "stale state",
        "dates do not count from created_at",
    ),
    "call_first": Found(
        "mailer",
        _dies("mailer", "append SendStarted, before"),
        "early",
        "before SendStarted was appended|started only at",
    ),
    "give_up_early": Found(
        "mailer", Telling(a_no_amid_sending, "0.5", _HELD), "after-opt-out", "confirmed at"
    ),
    "retry_unknown": Found("mailer", Telling(a_month, "0.06"), "duplicate", "accepted twice"),
    "ask_first": Found(
        "mailer",
        Telling(a_no_amid_sending, "0.5", _ABOUT_TO_START),
        "after-opt-out",
        "confirmed at",
    ),
}
CONTROLS = {
    "a month": Telling(
        a_month,
        "0.06",
        {
            "scheduler": {"CRASH_AT": "append FollowupsPlanned, before"},
            "composer": {"CRASH_AT": "publish EmailComposed, before"},
            "mailer": {
                "CRASH_AT": "append EmailQueued, before; append EmailQueued, after; "
                "append SendStarted, before"
            },
        },
    ),
    "a refusal": Telling(a_refusal, "0.06"),
    "changes": Telling(changes, "3600", {"crm": {"CRASH_AT": "append ClientUpdated, after"}}),
    "a no amid sending": Telling(a_no_amid_sending, "0.5", _HELD),
}


def test_every_bug_has_a_story() -> None:
    assert FOUND.keys() == BUGS.keys()


@pytest.mark.parametrize("bug", FOUND)
async def test_a_planted_bug_is_found(
    bug: str, tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    found = FOUND[bug]
    telling = found.telling
    own = dict(telling.own)
    own[found.service] = {**own.get(found.service, {}), "PLANTED_BUG": bug}
    settings = _SETTINGS | {"FOLLOWUP_DAY_SECONDS": telling.day}
    async with staged(tmp_path, kafka, mongodb, prefix, settings, own, telling.services) as stage:
        await telling.story(stage)
        history = await stage.history()
    verdict = check(history)
    assert any(
        anomaly.kind == found.kind and re.search(found.detail, anomaly.detail)
        for anomaly in verdict.anomalies
    ), str(verdict)


@pytest.mark.parametrize("name", CONTROLS)
async def test_without_a_bug_nothing_is_found(
    name: str, tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    telling = CONTROLS[name]
    settings = _SETTINGS | {"FOLLOWUP_DAY_SECONDS": telling.day}
    async with staged(tmp_path, kafka, mongodb, prefix, settings, telling.own) as stage:
        await telling.story(stage)
        history = await until_settled(stage.history)
    verdict = check(history)
    assert verdict.anomalies == (), str(verdict)
