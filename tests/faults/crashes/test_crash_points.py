"""Every service dies between any two I/O steps, under load, and nothing is lost or sent twice."""

import asyncio
import json
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ops.services import SERVICES
from tests.faults.checker.checker import check
from tests.faults.checker.history import Record, read_history
from tests.faults.checker.settling import until_settled
from tests.faults.crashes.crash_points import POINTS
from tests.faults.crashes.private_system import CHILD
from tests.faults.crashes.traffic import traffic
from tests.providers.running import provider
from tests.servers import Server
from tests.system import Running, provided_by, system

_DEATHS_SECONDS = 300
_SETTINGS = {
    "FOLLOWUP_DAY_SECONDS": "0.15",
    "RETRY_BASE_SECONDS": "0.3",
    "CALL_TIMEOUT_SECONDS": "1",
    "LEASE_SECONDS": "1.2",
    # Each death takes only so many emails along, and the next finds some to die at.
    "CALL_SLOTS": "6",
    "SCHEDULER_POLL_SECONDS": "1",
    # Some answers come in time, some late.
    "COMMAND_TIMEOUT_SECONDS": "0.3",
    "MAILER_RECONCILE_SECONDS": "1",
    "ADMIN_EMAIL": "admin@example.com",
}
_OPENAI_FAULTS = ({"status": 500, "rate": 0.15}, {"status": 401, "rate": 0.05})
_SENDGRID_FAULTS = (
    {"status": 500, "rate": 0.1},
    {"status": 400, "rate": 0.2},
    {"drop": "after", "rate": 0.05},
    # A no comes while an email to the address is under way.
    {"delay": 0.8, "rate": 0.1},
    {"drop": "before", "rate": 0.05},
)


@pytest.mark.alone
@pytest.mark.timeout(420)
async def test_a_service_may_die_between_any_two_steps(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    deaths: dict[str, dict[str, str]] = {
        service: {"CRASH_AT": "; ".join(POINTS[service])} for service in SERVICES
    }
    async with (
        provider("openai", tmp_path) as openai,
        provider("sendgrid", tmp_path) as sendgrid,
    ):
        await openai.order(*({**fault, "times": None} for fault in _OPENAI_FAULTS))
        await sendgrid.order(*({**fault, "times": None} for fault in _SENDGRID_FAULTS))
        async with (
            system(
                tmp_path,
                kafka,
                mongodb,
                prefix=prefix,
                environment=_SETTINGS | provided_by(openai, sendgrid),
                own=deaths,
                command=CHILD,
                wait=False,
            ) as running,
            traffic(running.api[0], kafka, prefix, sendgrid) as load,
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
            await _until_all_died(running)
            flowing.cancel()
            await running.ready(*SERVICES)
            await load.end()
            await until_settled(read)
            # What is read while alerts go out is of two moments.
            await running.stop(*SERVICES)
            history = await read()
    lines = _lines(tmp_path)
    reached = Counter(
        (service, line["point"]) for service, line in lines if line["event"] == "crashed"
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
    assert _told(lines, "io_outside_a_step", "what") == []
    assert _told(lines, "point_not_enumerated", "point") == []
    verdict = check(history, expected_quarantine=_is_poison)
    assert verdict.anomalies == (), str(verdict)


def _is_poison(record: Record) -> bool:
    """Tell whether a quarantined record is what the traffic poisons the topics with."""
    return str(record.headers.get("quarantine_reason")).startswith("content-type: ")


async def _until_all_died(running: Running) -> None:
    """Return when every service has gone through its points, however each of them ended."""
    deadline = time.monotonic() + _DEATHS_SECONDS
    wanted = sum(map(len, POINTS.values()))
    while (done := _deaths(running.folder)).total() < wanted:
        assert time.monotonic() < deadline, f"only {done} of {wanted} in {_DEATHS_SECONDS} s"
        await asyncio.sleep(1)


def _deaths(folder: Path) -> Counter[str]:
    ends = ("crashed", "not_reached")
    return Counter(service for service, line in _lines(folder) if line["event"] in ends)


def _lines(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Give what the steps of each service told."""
    return [
        (service, json.loads(line))
        for service in SERVICES
        for line in (folder / f"{service}-0.log").read_text().splitlines()
        if '"tests.faults.crashes.io_steps"' in line
    ]


def _told(lines: list[tuple[str, dict[str, Any]]], event: str, field: str) -> list[str]:
    return sorted(
        {f"{service}: {line[field]}" for service, line in lines if line["event"] == event}
    )
