"""The choice of the servers that the tests run on."""

from pathlib import Path

import pytest

from ops.servers.probes import has_brokers
from tests import servers
from tests.servers import apache_kafka


async def test_addresses_from_the_environment_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db.example")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka.example:9092")
    async with servers.mongodb() as mongodb, servers.kafka() as kafka:
        assert mongodb.address == "mongodb://db.example"
        assert kafka.address == "kafka.example:9092"
        assert not kafka.embedded


@pytest.mark.journey
async def test_a_kafka_is_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    async with servers.kafka() as kafka:
        assert "Kafka" in kafka.name or "kafka" in kafka.name
        assert await has_brokers(int(kafka.address.rpartition(":")[2]))


def test_the_version_is_read_from_the_jars(tmp_path: Path) -> None:
    for name in ("kafka-clients-4.1.1.jar", "kafka_2.13-4.1.1.jar"):
        (tmp_path / name).touch()
    assert apache_kafka.version(tmp_path) == "4.1.1"
