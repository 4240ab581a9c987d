"""The same I/O by bare clients: three processes, one event insert a step, and nothing else.

No leases, no retries, no views, no state: what cannot be saved. The requests to the providers are
made by the services' own writer and transport. One process is `python -m tests.bench.floor ROLE`.
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
from tests.bench.drain import Ground, accepted_at
from tests.bench.floor_roles import (
    DATABASE,
    DRAFTS,
    FOLLOWUPS,
    ITEMS,
    PARTITIONS,
    ROLES,
    SENT,
    play,
)
from tests.bench.results import Drained, Wrong, seconds_between

_ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 300


async def drain_bare(ground: Ground) -> Drained:
    """Drain as many items as the system was given follow-ups, on the same servers."""
    await _prepare(ground)
    sendgrid = await ground.sendgrid.from_here()
    environment = os.environ | {
        "BENCH_KAFKA_ADDRESS": ground.kafka.address,
        "BENCH_MONGODB": ground.mongodb.address,
        "BENCH_OPENAI": ground.openai.url,
        "BENCH_SENDGRID": ground.sendgrid.url,
        "BENCH_HOLD_MS": "50" if ground.kafka.embedded else "0",
        "BENCH_COUNT": str(ground.count),
    }
    async with contextlib.AsyncExitStack() as stack:
        roles = [await stack.enter_async_context(_process(role, environment)) for role in ROLES]
        async with asyncio.timeout(_LONGEST_SECONDS):
            for role in roles:
                await _said(role, b"ready\n")
            before = cpu.seconds()
            started = datetime.now(UTC)
            for role in roles:
                _tell(role)
            for role in roles:
                await _said(role, b"done\n")
        used = cpu.between(before, cpu.seconds())
    accepted = accepted_at(sendgrid.ledger())
    if len(accepted) != ground.count:
        raise Wrong(f"the floor sent {len(accepted)} of {ground.count}")
    return Drained(
        title=f"floor, {ground.delay_ms} ms",
        count=ground.count,
        seconds=seconds_between(started, max(accepted.values())),
        cpu=used,
    )


async def _prepare(ground: Ground) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka.address)
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
    async with connect(ground.mongodb.address) as mongodb:
        items = mongodb[DATABASE][ITEMS]
        await items.create_index("due_at")
        await items.insert_many(
            {"_id": number, "due_at": datetime.now(UTC), "data": _due(number).to_json()}
            for number in range(ground.count)
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


async def _said(process: asyncio.subprocess.Process, word: bytes) -> None:
    assert process.stdout
    if (line := await process.stdout.readline()) != word:
        raise Wrong(f"a process of the floor said {line!r} instead of {word!r}")


def _tell(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.write(b"go\n")


if __name__ == "__main__":
    play(sys.argv[1])
