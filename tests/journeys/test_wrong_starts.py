"""Every wrong start ends with one line on stderr, its exit code, and within eight seconds."""

import asyncio
import contextlib
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient

from chassis.kafka.client import producer
from contracts.crm import ClientCreated
from ops.servers.ports import LOOPBACK, free_port
from ops.servers.stores import apply_indexes, apply_topics
from tests.chassis.raw_records import put
from tests.contracts.samples import SAMPLES
from tests.servers import Server
from tests.system import topic_prefix

# On a machine that does nothing else; a busy one may take ten times as long.
SECONDS = 8.0
PATIENCE = 10 * SECONDS
_INHERITED = ("PATH", "HOME", "VIRTUAL_ENV", "PYTHONPATH")
SECRET = "hush-hush"  # pragma: allowlist secret


class End(NamedTuple):
    """How a process ended."""

    code: int | None
    stderr: str
    seconds: float


async def start(environment: Mapping[str, str], module: str = "services.crm.main") -> End:
    """Run the service until it ends by itself."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={**inherited, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            _, stderr = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return End(process.returncode, stderr.decode(), time.monotonic() - began)


@pytest.fixture(scope="module")
async def right(kafka: Server, mongodb_server: Server) -> AsyncIterator[dict[str, str]]:
    """Return an environment with which crm would start."""
    async with topic_prefix(kafka) as prefix:
        await apply_topics(kafka.servers, prefix)
        await apply_indexes(mongodb_server.address)
        yield {
            "KAFKA_BOOTSTRAP_SERVERS": kafka.address,
            "KAFKA_TOPIC_PREFIX": prefix,
            "MONGODB_URI": mongodb_server.address_of("crm"),
        }


def _closed() -> str:
    return f"{LOOPBACK}:{free_port()}"


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"MONGODB_URI": ""}, 78, ["MONGODB_URI"]),
        ({"MONGODB_URI": f"mongodb://u:{SECRET}@h@h/"}, 78, ["MONGODB_URI", "percent-encode"]),
        ({"LEASE_SECONDS": "soon"}, 78, ["LEASE_SECONDS"]),
        ({"MONGODB_URI_FILE": "/absent"}, 78, ["MONGODB_URI", "unset one of the two"]),
        ({"MONGODB_URI": "", "MONGODB_URI_FILE": "/absent"}, 78, ["MONGODB_URI_FILE: /absent: No"]),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, 78, ["KAFKA_SASL_USERNAME"]),
        ({"HOST": "192.0.2.1"}, 78, ["HEALTH_PORT: 192.0.2.1:0", "HOST"]),
        ({"KAFKA_BOOTSTRAP_SERVERS": _closed()}, 69, ["KAFKA_BOOTSTRAP_SERVERS", "refused"]),
        ({"KAFKA_BOOTSTRAP_SERVERS": "k.invalid:9092"}, 69, ["k.invalid:9092"]),
        (
            {"MONGODB_URI": f"mongodb://u:{SECRET}@{_closed()}/"},
            69,
            ["MONGODB_URI: 127.0.0.1:", "Connect call failed"],
        ),
        ({"KAFKA_TOPIC_PREFIX": "absent."}, 72, ["no topic absent.", "realtoros topics apply"]),
        ({"MONGODB_DATABASE_PREFIX": "realtoros_crm_"}, 77, ["MONGODB_URI: 127.0.0.1:"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
async def test_a_wrong_start_ends_with_one_line_and_its_exit_code(
    right: dict[str, str], wrong: dict[str, str], code: int, words: list[str]
) -> None:
    end = await start(right | wrong)
    assert end.code == code, end.stderr
    (line,) = end.stderr.splitlines()
    assert line.startswith("realtoros: ")
    assert all(word in line for word in words), line
    assert "; " in line
    assert SECRET not in line


async def test_wrong_credentials_are_refused(right: dict[str, str], mongodb_server: Server) -> None:
    if mongodb_server.folder is None:
        pytest.skip("this MongoDB has no users")
    server = mongodb_server.address.rpartition("@")[2]
    end = await start(right | {"MONGODB_URI": f"mongodb://crm:{SECRET}@{server}"})
    (line,) = end.stderr.splitlines()
    assert end.code == 77, line
    assert "password refused" in line
    assert SECRET not in line


async def test_a_missing_index_is_named(right: dict[str, str], mongodb_server: Server) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_server.address)
    async with client:
        await client["realtoros_crm"]["commits"].drop_indexes()
        try:
            end = await start(right)
        finally:
            await apply_indexes(mongodb_server.address)
    (line,) = end.stderr.splitlines()
    assert end.code == 72, line
    assert "no index commits." in line
    assert "realtoros indexes apply" in line


async def test_records_that_contradict_each_other_are_named(
    right: dict[str, str], kafka: Server, mongodb_server: Server
) -> None:
    """Somebody else has written in crm's name: two events say that they are the first."""
    created = next(sample for sample in SAMPLES if isinstance(sample, ClientCreated))
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb_server.address)
    async with topic_prefix(kafka) as prefix, client:
        await apply_topics(kafka.servers, prefix)
        async with producer(kafka.servers, "test") as writing:
            for _ in range(2):
                await put(writing, f"{prefix}clients", created, version=1, cause=uuid4())
        try:
            end = await start(right | {"KAFKA_TOPIC_PREFIX": prefix})
        finally:
            for name in await client["realtoros_crm"].list_collection_names():
                await client["realtoros_crm"][name].delete_many({})
    (line,) = end.stderr.splitlines()
    assert end.code == 70, line
    assert "a fork: the topic clients has" in line
    assert "docs/operations.md" in line


async def test_a_port_that_is_taken_is_named(right: dict[str, str]) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = str(taken.getsockname()[1])
        ends = [await start(right | {name: port}) for name in ("HEALTH_PORT", "METRICS_PORT")]
    for name, end in zip(("HEALTH_PORT", "METRICS_PORT"), ends, strict=True):
        (line,) = end.stderr.splitlines()
        assert end.code == 78, line
        assert f"{name}: {LOOPBACK}:{port}: Address already in use" in line


@pytest.mark.parametrize(
    "module", ["services.crm.main", "services.gateway.main", "services.mailer.main"]
)
async def test_a_module_that_is_run_is_the_service(module: str) -> None:
    end = await start({}, module)
    assert end.code == 78
    assert "MONGODB_URI: Field required" in end.stderr


@pytest.mark.alone
async def test_a_wrong_start_takes_no_longer_than_eight_seconds(
    right: dict[str, str], tmp_path: Path
) -> None:
    """With servers that accept connections and never answer."""
    with socket.create_server((LOOPBACK, 0)) as silent:
        address = f"{LOOPBACK}:{silent.getsockname()[1]}"
        for wrong in (
            {"KAFKA_BOOTSTRAP_SERVERS": address},
            {"MONGODB_URI": f"mongodb://{address}/"},
        ):
            end = await start(right | wrong)
            assert end.code == 69, end.stderr
            assert end.seconds < SECONDS
