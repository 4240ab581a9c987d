"""Every service crashes between any two I/O steps under load; nothing is lost or sent twice."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.services import SERVICES
from tests.faults.checker.checker import DailyLimit, check
from tests.faults.checker.history import Record, read_history
from tests.faults.checker.settling import until_settled
from tests.faults.crashes.crash_points import POINTS
from tests.faults.crashes.private_system import CRASHING_SERVICE
from tests.faults.crashes.traffic import traffic
from tests.providers.running import provider
from tests.servers import Server
from tests.system import Running, provider_settings, system

_CRASHES_SECONDS = 1100
_SETTLING_SECONDS = 180
_SETTINGS = {
    "CRASH_SECONDS": "90",
    "FOLLOWUP_DAY_SECONDS": "0.3",
    # Longer than a gateway takes that crashes and starts again, so that some are approved.
    "DRAFT_DAYS": "60",
    "RETRY_BASE_SECONDS": "0.3",
    "CALL_TIMEOUT_SECONDS": "1",
    "LEASE_SECONDS": "1.2",
    # Limits the emails that a crash affects, so that the next finds some to crash at.
    "CALL_SLOTS_MAX": "6",
    "SCHEDULER_POLL_SECONDS": "1",
    # Some replies come in time, some late.
    "COMMAND_TIMEOUT_SECONDS": "0.3",
    "MAILER_RECONCILE_SECONDS": "1",
    "ADMIN_EMAIL": "admin@example.com",
    # Few enough that some emails and letters wait, enough that all have their turn.
    "EMAILS_PER_DAY": "4",
    "LETTERS_PER_DAY": "4",
}
_LIMIT = DailyLimit(4, timedelta(seconds=0.3))
_OPENAI_FAULTS = ({"status": 409, "rate": 0.15}, {"status": 400, "rate": 0.05})


@pytest.mark.alone
@pytest.mark.timeout(1500)
async def test_a_service_may_crash_between_any_two_steps(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    crash_points: dict[str, dict[str, str]] = {
        service: {"CRASH_AT": "; ".join(POINTS[service])} for service in SERVICES
    }
    async with (
        provider("openai", tmp_path) as openai,
        provider("sendgrid", tmp_path) as sendgrid,
    ):
        await openai.inject_faults(*({**fault, "times": None} for fault in _OPENAI_FAULTS))
        async with (
            system(
                tmp_path,
                kafka,
                mongodb,
                prefix=prefix,
                environment=_SETTINGS | provider_settings(openai, sendgrid),
                service_environments=crash_points,
                command=CRASHING_SERVICE,
                wait=False,
            ) as running,
            traffic(
                running.api[0], kafka, prefix, sendgrid, partial(_next_points, tmp_path)
            ) as load,
        ):
            read = partial(
                read_history,
                kafka.address,
                prefix,
                mongodb.address,
                sendgrid.ledger_file,
                load.acknowledged,
                embedded=kafka.embedded,
            )
            flowing = asyncio.create_task(load.run())
            await _until_all_crashed(running)
            flowing.cancel()
            await running.ready(*SERVICES)
            await load.end()
            # What the daily limit has kept back has its turns yet.
            await until_settled(read, seconds=_SETTLING_SECONDS)
            # Read when stopped: alerts are still sent after the history is settled.
            await running.stop(*SERVICES)
            history = await read()
    verdict = check(history, expected_quarantine=_is_poison, daily_limit=_LIMIT)
    assert verdict.anomalies == (), str(verdict)
    entries = _step_entries(tmp_path)
    reached = Counter(
        (service, entry["point"]) for service, entry in entries if entry["event"] == "crashed"
    )
    missing = [
        f"{service}: {point}"
        for service in SERVICES
        for point in POINTS[service]
        if not reached[service, point]
    ]
    total = sum(map(len, POINTS.values()))
    print(f"crash points: {len(reached)} of {total} reached")  # noqa: T201 - what the test is for
    assert missing == []
    assert _logged_values(entries, "io_outside_a_step", "what") == []
    assert _logged_values(entries, "point_not_enumerated", "point") == []


def _is_poison(record: Record) -> bool:
    """Return whether a quarantined record is the traffic's poison."""
    return str(record.headers.get("quarantine_reason")).startswith("content-type: ")


async def _until_all_crashed(running: Running) -> None:
    """Wait until every service has gone through its points, reached or not."""
    deadline = time.monotonic() + _CRASHES_SECONDS
    wanted = sum(map(len, POINTS.values()))
    while (done := _crashes(running.folder)).total() < wanted:
        assert time.monotonic() < deadline, f"only {done} of {wanted} in {_CRASHES_SECONDS} s"
        await asyncio.sleep(1)


def _crashes(folder: Path) -> Counter[str]:
    ends = ("crashed", "not_reached")
    return Counter(service for service, line in _step_entries(folder) if line["event"] in ends)


def _next_points(folder: Path) -> Iterator[str]:
    """Return at which point each service crashes next."""
    done = _crashes(folder)
    return (POINTS[name][done[name]] for name in SERVICES if done[name] < len(POINTS[name]))


def _step_entries(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the log entries of each service's steps."""
    return [
        (service, json.loads(line))
        for service in SERVICES
        for line in (folder / f"{service}-0.log").read_text().splitlines()
        if '"tests.faults.crashes.io_steps"' in line
    ]


def _logged_values(entries: list[tuple[str, dict[str, Any]]], event: str, field: str) -> list[str]:
    return sorted(
        {f"{service}: {entry[field]}" for service, entry in entries if entry["event"] == event}
    )
