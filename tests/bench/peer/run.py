"""The peer's runs: each pool of Celery on the MongoDB and the providers that ours had."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from pymongo import AsyncMongoClient
from rich.console import Console

from chassis.mongo.client import Raw, connect
from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import Recipient
from ops.servers.ports import LOOPBACK, free_port
from ops.servers.server_process import owned, running
from services.composer.writer import CompositionRequest
from services.composer.writers.prompt import system_message
from tests.bench import clients, cpu
from tests.bench.drain import BenchSetup, accepted_at, drain
from tests.bench.results import Drained, InvalidRun, seconds_between, show

_ROOT = Path(__file__).parents[3]
_PYTHON = _ROOT / ".cache" / "peer" / "bin" / "python"
_APP = "tests.bench.peer.app"
_DATABASE = "bench_peer"
_LONGEST_SECONDS = 600
_LOOK_SECONDS = 0.5


class Pool(NamedTuple):
    """One way to run Celery's worker."""

    kind: str
    size: int

    def __str__(self) -> str:
        return f"{self.kind} {self.size}"


POOLS = (Pool("prefork", 16), Pool("gevent", 100), Pool("gevent", 500))


def missing() -> str | None:
    """Return what the peer lacks on this machine, if anything."""
    if not shutil.which("redis-server"):
        return "redis-server is missing: apt-get install redis-server"
    if not _PYTHON.exists():
        return "Celery is missing: make .cache/peer/ready"
    return None


async def compare(console: Console, setup: BenchSetup) -> None:
    """Drain by RealtorOS and by each pool of the peer, and print both with their ratio."""
    ours = await drain(setup)
    peers = [await _drain_pool(setup, pool) for pool in POOLS]
    show(console, [ours, *peers])
    best = max(peers, key=lambda peer: peer.rate)
    console.print(
        f"{setup.delay}: {ours.rate:.0f}/s, {ours.rate / best.rate:.2f} times the best Celery's"
        f" {best.rate:.0f}/s ({best.title}); CPU {ours.cost() / best.cost():.2f} times its\n"
    )


async def _drain_pool(setup: BenchSetup, pool: Pool) -> Drained:
    """Drain by a worker of this pool. Raises InvalidRun when an email is missing or came twice."""
    sendgrid = await setup.sendgrid.reset()
    with owned(setup.folder / f"{pool.kind}-{pool.size}") as folder:
        async with (
            connect(setup.mongodb.address) as mongodb,
            _redis(folder) as broker,
            _peer(setup, pool, folder, broker) as enqueuer,
        ):
            await _prepare(mongodb, setup.count)
            before, started = cpu.seconds(), datetime.now(UTC)
            enqueuer.write(b"go\n")
            await _all_sent(mongodb, setup.count, f"Celery, {pool}")
            used = cpu.between(before, cpu.seconds())
    accepted = accepted_at(sendgrid.ledger())
    if len(accepted) != setup.count:
        raise InvalidRun(f"Celery, {pool}, sent {len(accepted)} of {setup.count}")
    return Drained(
        title=str(pool),
        count=setup.count,
        seconds=seconds_between(started, max(accepted.values())),
        # Ours is idle meanwhile, and so is Kafka, which Celery does without.
        cpu={name: seconds for name, seconds in used.items() if name != "kafka"},
    )


@contextlib.asynccontextmanager
async def _redis(folder: Path) -> AsyncIterator[str]:
    """Run Redis as a broker that keeps its queue, written to disk each second; yield its URL."""
    port = free_port()

    async def answers() -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            return False
        writer.write(b"PING\r\n")
        answer = await reader.readline()
        writer.close()
        return answer == b"+PONG\r\n"

    command = ["redis-server", "--bind", LOOPBACK, "--port", str(port), "--dir", str(folder)]
    # With its own title it would not be known by its name.
    command += ["--appendonly", "yes", "--save", "", "--set-proc-title", "no"]
    async with running("redis", command, folder, answers):
        yield f"redis://{LOOPBACK}:{port}/0"


@contextlib.asynccontextmanager
async def _peer(
    setup: BenchSetup, pool: Pool, folder: Path, broker: str
) -> AsyncIterator[asyncio.StreamWriter]:
    """Run worker and enqueuer, both ready; yield the enqueuer's input."""
    ready = folder / "ready"
    environment = {
        **{name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ},
        "PEER_BROKER": broker,
        "PEER_CONNECTIONS": str(pool.size if pool.kind == "gevent" else 1),
        "PEER_MONGODB": setup.mongodb.address,
        "PEER_OPENAI": setup.openai.url,
        "PEER_READY": str(ready),
        "PEER_RULES": _rules(),
        "PEER_SENDGRID": setup.sendgrid.url,
    }

    async def is_ready() -> bool:
        return ready.exists()

    worker = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
    worker += [str(_PYTHON), "-m", "celery", "-A", _APP, "worker", "--loglevel", "WARNING"]
    worker += ["--pool", pool.kind, "--concurrency", str(pool.size)]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    async with running("celery", worker, folder, is_ready, working_folder=_ROOT):
        process = await asyncio.create_subprocess_exec(
            *(str(_PYTHON), "-m", _APP),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env=environment,
        )
        assert process.stdin
        assert process.stdout
        try:
            if (line := await process.stdout.readline()) != b"ready\n":
                raise InvalidRun(f"the peer's enqueuer printed {line!r}")
            yield process.stdin
        finally:
            process.stdin.close()
            await process.wait()


def _rules() -> str:
    """Return our own system message, so that both send the model as much."""
    recipient = Recipient(
        client=ClientDetails(name="Robin Client", email="robin@clients.example"),
        agent=AgentProfile(name="Alex Morgan", email="alex@agency.example"),
    )
    return system_message(CompositionRequest("Day 1", "lead", "residential", recipient))


async def _prepare(mongodb: AsyncMongoClient[Raw], count: int) -> None:
    """Store clients and due follow-ups, and nothing else."""
    await mongodb.drop_database(_DATABASE)
    known: list[dict[str, Any]] = [
        {"_id": str(uuid4()), **clients.new_client(number).personal.model_dump(mode="json")}
        for number in range(count)
    ]
    due = [
        {
            "_id": str(uuid4()),
            "client_id": client["_id"],
            "status": "due",
            "due_at": datetime.now(UTC),
        }
        for client in known
    ]
    database = mongodb[_DATABASE]
    await database["followups"].create_index([("status", 1), ("due_at", 1)])
    await database["clients"].insert_many(known)
    await database["followups"].insert_many(due)


async def _all_sent(mongodb: AsyncMongoClient[Raw], count: int, title: str) -> None:
    followups, number = mongodb[_DATABASE]["followups"], 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_SECONDS):
            while (number := await followups.count_documents({"status": "sent"})) < count:
                await asyncio.sleep(_LOOK_SECONDS)
            return
    raise InvalidRun(f"{title}, sent {number} of {count} within {_LONGEST_SECONDS} s")
