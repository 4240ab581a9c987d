"""The embedded servers must keep what they acknowledged, whatever happens to their owner."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiokafka
import pytest
from pymongo import AsyncMongoClient

from ops.servers import embedded, ports
from ops.servers.server_process import InUse, NotStarted, end_orphan, owned, running

# aiokafka has no types.
consumer: Any = aiokafka.AIOKafkaConsumer
producer: Any = aiokafka.AIOKafkaProducer

OWNER = """
import asyncio, pathlib, sys
from ops.servers import embedded

async def own(folder):
    async with embedded.mongodb(folder / "mongo") as uri, embedded.kafka(folder / "kafka") as kafka:
        print(uri, kafka, flush=True)
        await asyncio.sleep(600)

asyncio.run(own(pathlib.Path(sys.argv[1])))
"""


@asynccontextmanager
async def owner(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    """Run both servers in a process that can be killed."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(folder), stdout=pipe, cwd=Path(__file__).parents[3]
    )
    assert process.stdout is not None
    uri, kafka = (await process.stdout.readline()).decode().split()
    try:
        yield process, uri, kafka
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def write(uri: str, name: str) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        await client["test"]["things"].insert_one({"name": name})


async def names(uri: str) -> list[str]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        return [thing["name"] async for thing in client["test"]["things"].find(sort=["_id"])]


async def produce(kafka: str, values: range) -> None:
    async with producer(bootstrap_servers=kafka, acks="all") as out:
        for value in values:
            await out.send_and_wait("things", str(value).encode(), key=b"one")


async def consume(kafka: str, count: int) -> list[int]:
    """Read on where the group has stopped, and commit."""
    async with consumer(
        "things",
        bootstrap_servers=kafka,
        group_id="readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as reader:
        values = [int((await reader.getone()).value) for _ in range(count)]
        # Fetched ahead, but not handed out: only what was handed out is committed.
        await reader.commit()
    return values


async def test_mongodb_keeps_its_data_and_its_address(tmp_path: Path) -> None:
    async with embedded.mongodb(tmp_path) as first:
        await write(first, "kept")
    async with embedded.mongodb(tmp_path) as second:
        assert second == first
        assert await names(second) == ["kept"]


async def test_mongodb_becomes_primary_again_at_another_port(tmp_path: Path) -> None:
    async with embedded.mongodb(tmp_path) as first:
        await write(first, "before")
    (tmp_path / "port").write_text(str(ports.free_port()))
    async with embedded.mongodb(tmp_path) as second:
        assert second != first
        await write(second, "after")
        assert await names(second) == ["before", "after"]


async def test_kafka_keeps_its_records_offsets_and_address(tmp_path: Path) -> None:
    async with embedded.kafka(tmp_path) as first:
        await produce(first, range(200))
        assert await consume(first, 120) == list(range(120))
    async with embedded.kafka(tmp_path) as second:
        assert second == first
        assert await consume(second, 80) == list(range(120, 200))


async def test_a_taken_port_is_not_fought_for(tmp_path: Path) -> None:
    async with embedded.kafka(tmp_path) as first:
        port = int(first.partition(":")[2])
    squatter = await asyncio.start_server(lambda *_: None, ports.LOOPBACK, port)
    async with squatter, embedded.kafka(tmp_path) as second:
        assert second != first


async def test_nothing_is_lost_when_the_owner_is_killed(tmp_path: Path) -> None:
    async with owner(tmp_path) as (process, uri, kafka):
        await write(uri, "kept")
        await produce(kafka, range(100))
        process.kill()
        await process.wait()
    async with embedded.mongodb(tmp_path / "mongo") as uri:
        assert await names(uri) == ["kept"]
    async with embedded.kafka(tmp_path / "kafka") as kafka:
        assert await consume(kafka, 100) == list(range(100))


async def test_two_owners_of_one_folder_are_refused(tmp_path: Path) -> None:
    async with embedded.kafka(tmp_path):
        with pytest.raises(InUse, match="stop that first"):
            async with embedded.kafka(tmp_path):
                pass


async def test_an_orphan_that_goes_on_is_stopped(tmp_path: Path) -> None:
    orphan = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path)
    )
    (tmp_path / "kafka.pid").write_text(str(orphan.pid))
    await end_orphan("kafka", tmp_path, grace_seconds=0.0)
    assert await orphan.wait() == -signal.SIGTERM


async def test_a_stranger_with_the_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "kafka.pid").write_text(str(os.getpid()))
    await end_orphan("kafka", tmp_path, grace_seconds=0.0)


async def test_a_server_that_fails_at_its_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no luck today')"]

    async def answers() -> bool:
        return False

    with pytest.raises(NotStarted, match=r"code 1(.|\n)*no luck today"), owned(tmp_path):
        async with running("broker", command, tmp_path, answers):
            pass


def assert_tells_what_to_do(message: str) -> None:
    assert "\n" not in message
    for words in ("make up-docker", "KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"):
        assert words in message


async def test_a_missing_package_says_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "noida_db", None)
    with pytest.raises(embedded.Unavailable) as caught:
        async with embedded.kafka(tmp_path):
            pass
    assert_tells_what_to_do(str(caught.value))


@pytest.mark.parametrize("content", ["not a program", "#!/bin/sh\nexit 127\n"])
async def test_a_binary_that_cannot_run_says_what_to_do_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    binary = tmp_path / "mongod"
    binary.write_text(content)
    binary.chmod(0o755)
    monkeypatch.setattr(embedded, "_binary", lambda *_: binary)
    with pytest.raises(embedded.Unavailable) as caught:
        async with embedded.mongodb(tmp_path):
            pass
    assert_tells_what_to_do(str(caught.value))
