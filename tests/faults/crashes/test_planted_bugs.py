"""The checker finds classic bugs: each is planted, provoked, and has to be expected.

The same scenarios run without a bug, too, and nothing must be found then.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.services import SERVICES
from tests.faults.checker.checker import DailyLimit, Kind, Verdict, check
from tests.faults.checker.history import Record
from tests.faults.checker.settling import until_settled
from tests.faults.crashes.planted_bugs import BUGS
from tests.faults.crashes.private_system import PrivateSystem, private_system
from tests.servers import Server

_SETTINGS = {
    "RETRY_BASE_SECONDS": "0.3",
    "CALL_TIMEOUT_SECONDS": "2",
    "LEASE_SECONDS": "3",
    "MAILER_RECONCILE_SECONDS": "1",
    "SCHEDULER_POLL_SECONDS": "0.5",
    "COMMAND_TIMEOUT_SECONDS": "15",
}
_FOUND_SECONDS = 10.0


async def full_plan(system: PrivateSystem) -> None:
    """A client gets all follow-ups; the provider's first answer is lost."""
    await system.sendgrid.inject_faults({"drop": "after"})
    await system.add("ann")
    await system.until_plans_ended()


async def rejected_duplicate(system: PrivateSystem) -> None:
    """A client is added twice; the second time is refused."""
    await system.add("ann")
    await system.add_again("ann")
    await system.until_plans_ended()


async def client_changes(system: PrivateSystem) -> None:
    """One client is changed, another deleted, and a producer repeats a record."""
    ann, ben = await system.add("ann"), await system.add("ben")
    await system.change(ann, notes="wants a garden")
    await system.delete(ben)
    await system.until_appended("scheduler", "realtoros.FollowupCancelled.v1")
    await system.repeat("clients", "realtoros.ClientCreated.v1", ben)
    await system.until_consumed("gateway", "clients")
    await system.change(ann, stage="closed")


async def opt_out_during_send(system: PrivateSystem) -> None:
    """A client opts out while an email to it is in flight, or about to be."""
    await system.add_with_one_followup("ann")
    await system.until_log_entry("mailer", "held")
    await system.opt_out("ann")
    await system.until_appended("mailer", "realtoros.SuppressionConfirmed.v1")
    system.release()


async def opt_out_in_another_spelling(system: PrivateSystem) -> None:
    """A client opts out as SendGrid spells the address."""
    await system.add("ann@bücher.example.com")
    await system.opt_out("ann@xn--bcher-kva.example.com")
    await system.until_appended("mailer", "realtoros.SuppressionConfirmed.v1")
    await system.until_plans_ended()


async def pause_during_send(system: PrivateSystem) -> None:
    """All sending is paused while an email is in flight, or about to be."""
    await system.add_with_one_followup("ann")
    await system.until_log_entry("mailer", "held")
    assert await system.stops.pause()
    await system.until_appended("mailer", "realtoros.SendingStopped.v1")
    system.release()


async def another_address_before_send(system: PrivateSystem) -> None:
    """A client gets another address when an email is about to be sent to it."""
    client = await system.add_with_one_followup("ann")
    await system.until_log_entry("mailer", "held")
    await system.readdress(client, "anna")
    system.release()


async def another_address_opts_out(system: PrivateSystem) -> None:
    """An email waits, is addressed anew, and the new address opts out while it is in flight."""
    assert await system.stops.pause()
    client = await system.add_with_one_followup("ann")
    await system.until_appended("mailer", "realtoros.EmailQueued.v1")
    await system.readdress(client, "anna")
    assert await system.stops.resume()
    await system.until_log_entry("mailer", "held")
    await system.opt_out("anna")
    await system.until_appended("mailer", "realtoros.SuppressionConfirmed.v1")
    system.release()


async def two_emails_with_a_limit_of_one(system: PrivateSystem) -> None:
    """Two emails of an agent are about to be sent at once, who may send one a day."""
    for name in ("ann", "ben"):
        await system.add_with_one_followup(name)
    await system.until_log_entry("mailer", "held", times=2)
    system.release()


async def one_email_a_day(system: PrivateSystem) -> None:
    """Two clients get their first emails, of an agent who may send one a day."""
    for name in ("ann", "ben"):
        await system.add_with_one_followup(name)
    await system.until_appended("mailer", "realtoros.EmailPostponed.v1")


async def cancel_while_written(system: PrivateSystem) -> None:
    """A follow-up is cancelled while its letter is being written."""
    client = await system.add_with_one_followup("ann")
    await system.until_log_entry("composer", "held")
    await system.cancel_first(client)
    system.release()


async def cancel_during_send(system: PrivateSystem) -> None:
    """A follow-up is cancelled while its email is in flight."""
    client = await system.add_with_one_followup("ann")
    await system.until_log_entry("mailer", "held")
    await system.cancel_first(client)
    system.release()


async def forged_changes(system: PrivateSystem) -> None:
    """Others than crm write that a client is lost, in a foreign topic and in crm's own."""
    client = await system.add("ann")
    await system.forge("emails", client)
    await system.forge("clients", client, source="anybody")
    for topic in ("emails", "clients"):
        await system.until_consumed("gateway", topic)


def _is_forged(record: Record) -> bool:
    """Return whether a quarantined record is one of those changes."""
    reason = str(record.headers.get("quarantine_reason"))
    return reason.startswith(
        (
            "ce_type: realtoros.ClientUpdated.v1 belongs to clients, not to emails",
            "ce_source: 'anybody' does not write to clients",
        )
    )


@dataclass(frozen=True)
class Scenario:
    """What happens, the seconds of a day, the services and their additional environments."""

    run: Callable[[PrivateSystem], Awaitable[None]]
    day: str
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    services: Sequence[str] = SERVICES
    emails_per_day: int = 0

    @property
    def settings(self) -> dict[str, str]:
        """The settings of all services."""
        of_scenario = {
            "FOLLOWUP_DAY_SECONDS": self.day,
            "EMAILS_PER_DAY": str(self.emails_per_day),
        }
        return _SETTINGS | of_scenario

    @property
    def daily_limit(self) -> DailyLimit | None:
        """What the checker is told of the limit."""
        day = timedelta(seconds=float(self.day))
        return DailyLimit(self.emails_per_day, day) if self.emails_per_day else None


@dataclass(frozen=True)
class ExpectedAnomaly:
    """The anomaly that the checker has to find: its kind, and a pattern of its detail."""

    service: str
    scenario: Scenario
    kind: Kind
    detail: str

    def is_in(self, verdict: Verdict) -> bool:
        """Return whether the checker has found it."""
        return any(
            anomaly.kind == self.kind and re.search(self.detail, anomaly.detail)
            for anomaly in verdict.anomalies
        )


def _crashing(service: str, at: str) -> Scenario:
    return Scenario(full_plan, "0.06", {service: {"CRASH_AT": at}})


def _changes(environments: Mapping[str, Mapping[str, str]]) -> Scenario:
    # Nothing falls due, so composer and mailer are not needed.
    return Scenario(client_changes, "3600", environments, ("crm", "scheduler", "gateway"))


_HELD = {"mailer": {"HOLD_AT": "request"}}
_HELD_BEFORE_START = {"mailer": {"HOLD_AT": "suppressions read"}}
_ABOUT_TO_START = {"mailer": {"HOLD_AT": "before SendStarted"}}
# The call has to be in flight still when it is released.
_IN_FLIGHT = {"mailer": {"HOLD_AT": "request", "CALL_TIMEOUT_SECONDS": "8", "LEASE_SECONDS": "10"}}
_LETTER_HELD = {"composer": {"HOLD_AT": "letter"}}
EXPECTED: Mapping[str, ExpectedAnomaly] = {
    "acknowledge_first": ExpectedAnomaly(
        "mailer",
        _crashing("mailer", "append EmailQueued, before"),
        "lost",
        "no EmailQueued after EmailComposed",
    ),
    "publish_first": ExpectedAnomaly(
        "crm", Scenario(rejected_duplicate, "0.06"), "stale state", "in no log"
    ),
    "mark_first": ExpectedAnomaly(
        "composer",
        _crashing("composer", "publish EmailComposed, before"),
        "lost",
        "not in the topic",
    ),
    "publish_backwards": ExpectedAnomaly(
        "scheduler", _changes({}), "stale state", "published out of order"
    ),
    "state_outside": ExpectedAnomaly(
        "crm",
        _changes({"crm": {"CRASH_AT": "after ClientDeleted, before its state"}}),
        "stale state",
        "crm.clients has version 1, the log 2",
    ),
    "forget_causes": ExpectedAnomaly(
        "mailer", _crashing("mailer", "append EmailQueued, after"), "duplicate", "accepted twice"
    ),
    "apply_repeats": ExpectedAnomaly(
        "gateway",
        _changes({}),
        "stale state",
        "gateway.clients says stage is lead, the topics say None",
    ),
    "count_from_the_clock": ExpectedAnomaly(
        "scheduler",
        _crashing("scheduler", "append FollowupsPlanned, before"),
        "stale state",
        "dates do not count from created_at",
    ),
    "call_first": ExpectedAnomaly(
        "mailer",
        _crashing("mailer", "append SendStarted, before"),
        "early",
        "before SendStarted was appended|started only at",
    ),
    "give_up_early": ExpectedAnomaly(
        "mailer", Scenario(opt_out_during_send, "2", _HELD), "after-opt-out", "confirmed at"
    ),
    "retry_unknown": ExpectedAnomaly(
        "mailer", Scenario(full_plan, "0.06"), "duplicate", "accepted twice"
    ),
    "take_from_any_topic": ExpectedAnomaly(
        "gateway",
        Scenario(forged_changes, "3600", {}, ("crm", "scheduler", "gateway")),
        "stale state",
        "gateway.clients says stage is lost, the topics say lead",
    ),
    "read_suppressions_first": ExpectedAnomaly(
        "mailer",
        Scenario(opt_out_during_send, "2", _HELD_BEFORE_START),
        "after-opt-out",
        "confirmed at",
    ),
    "suppress_raw_address": ExpectedAnomaly(
        "mailer", Scenario(opt_out_in_another_spelling, "0.2"), "after-opt-out", "confirmed at"
    ),
    "read_switch_first": ExpectedAnomaly(
        "mailer",
        Scenario(pause_during_send, "2", _ABOUT_TO_START),
        "unwanted",
        "started after all sending was paused",
    ),
    "look_at_recipient_first": ExpectedAnomaly(
        "mailer",
        Scenario(another_address_before_send, "2", _ABOUT_TO_START),
        "unwanted",
        "had another address at",
    ),
    "count_then_take": ExpectedAnomaly(
        "mailer",
        Scenario(two_emails_with_a_limit_of_one, "3", _ABOUT_TO_START, emails_per_day=1),
        "unwanted",
        "2 emails within a day",
    ),
    "compose_discarded": ExpectedAnomaly(
        "composer",
        Scenario(cancel_while_written, "2", _LETTER_HELD),
        "stale state",
        "EmailComposed .* after DraftDiscarded",
    ),
    "confirm_stop_at_once": ExpectedAnomaly(
        "mailer",
        Scenario(pause_during_send, "2", _IN_FLIGHT),
        "unwanted",
        "all sending had stopped",
    ),
    "keep_suppression_id": ExpectedAnomaly(
        "mailer",
        Scenario(another_address_opts_out, "2", _IN_FLIGHT),
        "after-opt-out",
        "confirmed at",
    ),
    "answer_cancel_at_once": ExpectedAnomaly(
        "gateway",
        Scenario(cancel_during_send, "2", _IN_FLIGHT),
        "unwanted",
        "shown as cancelled at",
    ),
}
CONTROLS = {
    "full plan": Scenario(
        full_plan,
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
    "rejected duplicate": Scenario(rejected_duplicate, "0.06"),
    "client changes": Scenario(
        client_changes, "3600", {"crm": {"CRASH_AT": "append ClientUpdated, after"}}
    ),
    "forged changes": Scenario(forged_changes, "0.06"),
    "opt-out during send": Scenario(opt_out_during_send, "2", _HELD),
    "opt-out in another spelling": Scenario(opt_out_in_another_spelling, "0.2"),
    "pause during send": Scenario(pause_during_send, "2", _HELD),
    "another address opts out": Scenario(another_address_opts_out, "2", _HELD),
    "one email a day": Scenario(one_email_a_day, "2", emails_per_day=1),
    "cancel while written": Scenario(cancel_while_written, "2", _LETTER_HELD),
    "cancel during send": Scenario(cancel_during_send, "2", _HELD),
}


def test_every_bug_has_an_expected_anomaly() -> None:
    assert EXPECTED.keys() == BUGS.keys()


@pytest.mark.parametrize("bug", EXPECTED)
async def test_a_planted_bug_is_found(
    bug: str, tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    expected = EXPECTED[bug]
    scenario = expected.scenario
    environments = dict(scenario.environments)
    environments[expected.service] = {**environments.get(expected.service, {}), "PLANTED_BUG": bug}
    async with private_system(
        tmp_path, kafka, mongodb, prefix, scenario.settings, environments, scenario.services
    ) as system:
        await scenario.run(system)
        verdict = await _found(system, expected)
    assert expected.is_in(verdict), str(verdict)


async def _found(system: PrivateSystem, expected: ExpectedAnomaly) -> Verdict:
    """Check until the anomaly is found: it may take what was held a moment to go on."""
    deadline = time.monotonic() + _FOUND_SECONDS
    while True:
        history = await system.history()
        verdict = check(
            history,
            expected_quarantine=_is_forged,
            daily_limit=expected.scenario.daily_limit,
        )
        if expected.is_in(verdict) or time.monotonic() > deadline:
            return verdict


@pytest.mark.parametrize("name", CONTROLS)
async def test_without_a_bug_nothing_is_found(
    name: str, tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    scenario = CONTROLS[name]
    async with private_system(
        tmp_path, kafka, mongodb, prefix, scenario.settings, scenario.environments
    ) as system:
        await scenario.run(system)
        history = await until_settled(system.history)
    verdict = check(history, expected_quarantine=_is_forged, daily_limit=scenario.daily_limit)
    assert verdict.anomalies == (), str(verdict)
