"""The floor: the same I/O by bare clients, three processes with one event insert per step.

No leases, retries, views or state: only the unavoidable. The providers are called by the services'
own writer and transport. One process is `python -m tests.bench.floor ROLE`.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.mongo.client import connect
from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import FollowupDue, Recipient
from tests.bench import cpu
from tests.bench.clients import AGENT
from tests.bench.drain import BenchSetup, accepted_at
from tests.bench.floor_roles import (
    DATABASE,
    DRAFTS,
    FOLLOWUPS,
    ITEMS,
    PARTITIONS,
    ROLES,
    SENT,
    run_role,
)
from tests.bench.results import Drained, InvalidRun, seconds_between

_ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 300


async def drain_bare(setup: BenchSetup) -> Drained:
    """Drain as many items as the system has follow-ups, on the same servers."""
    await _prepare(setup)
    sendgrid = await setup.sendgrid.reset()
    environment = os.environ | {
        "BENCH_KAFKA_ADDRESS": setup.kafka.address,
        "BENCH_MONGODB": setup.mongodb.address,
        "BENCH_OPENAI": setup.openai.url,
        "BENCH_SENDGRID": setup.sendgrid.url,
        "BENCH_HOLD_MS": "50" if setup.kafka.embedded else "0",
        "BENCH_COUNT": str(setup.count),
    }
    async with contextlib.AsyncExitStack() as stack:
        roles = [await stack.enter_async_context(_process(role, environment)) for role in ROLES]
        async with asyncio.timeout(_LONGEST_SECONDS):
            for role in roles:
                await _expect_line(role, b"ready\n")
            before = cpu.seconds()
            started = datetime.now(UTC)
            for role in roles:
                _send_go(role)
            for role in roles:
                await _expect_line(role, b"done\n")
        used = cpu.between(before, cpu.seconds())
    accepted = accepted_at(sendgrid.ledger())
    if len(accepted) != setup.count:
        raise InvalidRun(f"the floor sent {len(accepted)} of {setup.count}")
    return Drained(
        title=f"floor, {setup.delay}",
        count=setup.count,
        seconds=seconds_between(started, max(accepted.values())),
        cpu=used,
    )


async def _prepare(setup: BenchSetup) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=setup.kafka.address)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(topic, PARTITIONS, replication_factor=1)
                for topic in (FOLLOWUPS, DRAFTS, SENT)
            ]
        )
    finally:
        await admin.close()
    async with connect(setup.mongodb.address) as mongodb:
        items = mongodb[DATABASE][ITEMS]
        await items.create_index("due_at")
        await items.insert_many(
            {"_id": number, "due_at": datetime.now(UTC), "data": _due(number).to_json()}
            for number in range(setup.count)
        )


def _due(number: int) -> FollowupDue:
    now = datetime.now(UTC)
    return FollowupDue(
        agent_id=AGENT,
        client_id=uuid4(),
        followup_id=uuid4(),
        followup_type="Day 1",
        scheduled_for=now,
        due_at=now,
        stage="lead",
        property_type="residential",
        personal=Recipient(
            client=ClientDetails(
                name=f"Robin Client {number}",
                email=f"robin.{number}@clients.example",
                property_address=f"{number} Maple Street, Springfield",
                notes="Looks for three bedrooms near a school; has a dog; prefers to be called.",
            ),
            agent=AgentProfile(name="Alex Morgan", email="alex@agency.example"),
        ),
    )


@contextlib.asynccontextmanager
async def _process(
    role: str, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the role; it ends when its input is closed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.floor", role),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=environment,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _expect_line(process: asyncio.subprocess.Process, expected: bytes) -> None:
    assert process.stdout
    if (line := await process.stdout.readline()) != expected:
        raise InvalidRun(f"a process of the floor printed {line!r} instead of {expected!r}")


def _send_go(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.write(b"go\n")


if __name__ == "__main__":
    run_role(sys.argv[1])
