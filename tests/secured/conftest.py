"""The whole system on a secured Kafka and MongoDB, each service with its own user."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.services import SERVICES
from ops.topics.acls import acls, allow
from tests.secured.certificates import authority
from tests.secured.kafka import SecuredKafka, password_of, secured_kafka
from tests.secured.mongodb import SecuredMongoDB, secured_mongodb
from tests.system import Running, system

PREFIX = "secured."
_DAY_SECONDS = "0.5"


@dataclass(frozen=True)
class Secured:
    """The running system, and its servers."""

    running: Running
    kafka: SecuredKafka
    mongodb: SecuredMongoDB


@pytest.fixture(scope="session")
async def secured(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Secured]:
    """Run all services, each as its own user of Kafka and MongoDB."""
    folder = tmp_path_factory.mktemp("secured")
    signer = await asyncio.to_thread(authority, folder / "ca.pem")
    async with (
        secured_kafka(folder, signer) as kafka,
        secured_mongodb(folder / "mongodb", signer) as mongodb,
    ):
        await allow(kafka.admin, acls(PREFIX))
        common = {
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SSL_CA_FILE": str(kafka.authority.file),
            "FOLLOWUP_DAY_SECONDS": _DAY_SECONDS,
        }
        own: dict[str, dict[str, str]] = {
            name: {
                "KAFKA_SASL_USERNAME": f"realtoros-{name}",
                "KAFKA_SASL_PASSWORD_FILE": str(_written(folder / f"{name}.password", name)),
            }
            for name in SERVICES
        }
        async with system(
            folder / "services",
            kafka.server,
            mongodb.server,
            prefix=PREFIX,
            environment=common,
            service_environments=own,
        ) as running:
            yield Secured(running, kafka, mongodb)


def _written(file: Path, name: str) -> Path:
    file.write_text(f"{password_of(name)}\n")
    return file
