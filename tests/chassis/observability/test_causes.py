"""Causes of failed connections: host and error number, never credentials."""

import asyncio

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from pymongo import AsyncMongoClient
from pymongo.errors import ServerSelectionTimeoutError

from chassis.observability.causes import cause_of
from ops.servers.ports import LOOPBACK, free_port


async def test_of_mongodb_it_names_host_and_errno_but_no_password() -> None:
    port = free_port()
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        f"mongodb://someone:canary@{LOOPBACK}:{port}",  # pragma: allowlist secret
        serverSelectionTimeoutMS=200,
    )
    with pytest.raises(ServerSelectionTimeoutError) as caught:
        await client.admin.command("ping")
    await client.close()
    cause = cause_of(caught.value)
    assert f"{LOOPBACK}:{port}" in cause
    assert "Errno 111" in cause
    assert "canary" not in cause
    assert "Topology" not in cause


async def test_of_kafka_it_names_the_host() -> None:
    port = free_port()
    producer = AIOKafkaProducer(bootstrap_servers=f"{LOOPBACK}:{port}")
    with pytest.raises(KafkaConnectionError) as caught:
        await producer.start()
    await producer.stop()
    assert str(port) in cause_of(caught.value)


async def test_of_a_provider_it_names_errno_and_host_through_what_wraps_it() -> None:
    port = free_port()
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorError) as caught:
            await http.get(f"http://{LOOPBACK}:{port}")
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = caught.value
    assert cause_of(wrapped) == f"RuntimeError: ECONNREFUSED {LOOPBACK}:{port}"


def test_of_anything_else_it_is_the_name_alone() -> None:
    assert cause_of(ValueError("canary@example.com")) == "ValueError"
    assert cause_of(asyncio.CancelledError()) == "CancelledError"
