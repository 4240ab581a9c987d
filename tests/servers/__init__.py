"""The MongoDB and the Kafka that tests and benchmarks run against.

In this order: addresses from the environment (`MONGODB_URI`, `KAFKA_BOOTSTRAP_SERVERS`);
containers where a Docker engine answers; the embedded pair. With `TEST_KAFKA=apache` Kafka is
always Apache Kafka: a container, else its jars from Maven Central.
"""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

from chassis.kafka.servers import KafkaServers
from ops.servers import embedded, mongodb_users
from tests.servers import apache_kafka, containers


class Server(NamedTuple):
    """Where a server answers, and what it is, to print with results."""

    address: str
    name: str
    # The embedded broker answers empty fetches at once: its readers must pace themselves.
    embedded: bool = False
    # Where an embedded MongoDB keeps its users' passwords; `address` is the operator's.
    folder: Path | None = None
    # How its administrator logs in, if a Kafka asks for it.
    login: KafkaServers | None = None

    @property
    def servers(self) -> KafkaServers:
        """The Kafka at this address, for the product's own functions."""
        return self.login or KafkaServers(self.address)

    def address_of(self, service: str) -> str:
        """Return the address for a service, with a user of its own if the server has users."""
        if self.folder is None:
            return self.address
        return mongodb_users.uri_of(service, self.folder, self.address)


@contextlib.asynccontextmanager
async def mongodb() -> AsyncIterator[Server]:
    """Yield a MongoDB replica set's URI; stop the server afterwards if it was started here."""
    if uri := os.environ.get("MONGODB_URI"):
        yield Server(uri, "MongoDB of MONGODB_URI")
    elif await containers.docker_answers():
        async with containers.mongodb() as uri:
            yield Server(uri, f"Docker {containers.MONGODB_IMAGE}")
    else:
        with _folder() as folder:
            async with embedded.mongodb(folder) as uri:
                yield Server(uri, "embedded MongoDB", embedded=True, folder=folder)


@contextlib.asynccontextmanager
async def kafka() -> AsyncIterator[Server]:
    """Yield a Kafka's bootstrap servers; stop the server afterwards if it was started here."""
    if address := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield Server(address, "Kafka of KAFKA_BOOTSTRAP_SERVERS")
    elif await containers.docker_answers():
        async with containers.kafka() as address:
            yield Server(address, f"Docker {containers.KAFKA_IMAGE}")
    elif os.environ.get("TEST_KAFKA") == "apache":
        jars = await apache_kafka.jars()
        with _folder() as folder:
            async with apache_kafka.kafka(jars, folder) as address:
                yield Server(address, f"Apache Kafka {apache_kafka.version(jars)} (Maven)")
    else:
        with _folder() as folder:
            async with embedded.kafka(folder) as address:
                yield Server(address, "embedded Kafka", embedded=True)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="realtoros-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
