"""MongoDB and Apache Kafka as containers, where a Docker engine answers."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer

from ops.servers.ports import LOOPBACK, free_port
from ops.servers.probes import has_brokers, is_primary

MONGODB_IMAGE = "mongo:8.0"
KAFKA_IMAGE = "apache/kafka:4.1.1"
_START_SECONDS = 120.0


async def docker_answers() -> bool:
    """Return whether containers can be started here."""
    return await asyncio.to_thread(_docker_answers)


@contextlib.asynccontextmanager
async def mongodb() -> AsyncIterator[str]:
    """Run a replica set of one member; yield its URI, ready for writes."""
    # The set's member is named by the same address inside and outside of the container.
    port = free_port()
    container = _reachable_at(port, DockerContainer(MONGODB_IMAGE))
    container.with_command(f"--replSet rs0 --bind_ip_all --port {port}")
    async with _started(container, lambda: is_primary(port)):
        yield f"mongodb://{LOOPBACK}:{port}/?replicaSet=rs0"


@contextlib.asynccontextmanager
async def kafka() -> AsyncIterator[str]:
    """Run one broker; yield its `host:port`."""
    port = free_port()
    container = _reachable_at(port, DockerContainer(KAFKA_IMAGE))
    container.with_envs(
        KAFKA_PROCESS_ROLES="broker,controller",
        KAFKA_NODE_ID="1",
        KAFKA_LISTENERS=f"PLAINTEXT://:{port},CONTROLLER://localhost:9093",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://{LOOPBACK}:{port}",
        KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
        KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS="0",
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
        KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS="4",
        KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
        KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
    )
    async with _started(container, lambda: has_brokers(port)):
        yield f"{LOOPBACK}:{port}"


@contextlib.asynccontextmanager
async def _started(
    container: DockerContainer, answers: Callable[[], Awaitable[bool]]
) -> AsyncIterator[None]:
    try:
        await asyncio.to_thread(container.start)
        async with asyncio.timeout(_START_SECONDS):
            await _until(answers)
        yield
    finally:
        await asyncio.to_thread(container.stop)


def _reachable_at(port: int, container: DockerContainer) -> DockerContainer:
    # with_bind_ports would open the port to the whole network.
    container.ports[f"{port}/tcp"] = (LOOPBACK, port)  # type: ignore[assignment]
    return container


async def _until(answers: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if await answers():
            return
        await asyncio.sleep(0.2)


@functools.cache
def _docker_answers() -> bool:
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    with contextlib.closing(client):
        return bool(client.ping())
