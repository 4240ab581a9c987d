"""The two servers that all services stand on, and what must be in them before services start."""

import contextlib
import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.kafka import client as kafka
from chassis.mongo import client as mongo
from chassis.recovery.persistence import Store
from ops.errors import OperatorError
from ops.servers import embedded
from ops.services import SERVICES, Service

DEFAULT_PREFIX = "realtoros."


@dataclass(frozen=True)
class Stores:
    """Where Kafka and MongoDB are, and which of them are embedded."""

    kafka: str
    mongodb: str
    kafka_is_embedded: bool = False
    mongodb_is_embedded: bool = False

    def described(self) -> list[str]:
        """Say on a line each which servers are in use, without credentials."""
        return [
            f"Kafka    {self.kafka}{' (embedded)' if self.kafka_is_embedded else ''}",
            f"MongoDB  {public(self.mongodb)}{' (embedded)' if self.mongodb_is_embedded else ''}",
        ]


@contextlib.asynccontextmanager
async def stores(
    folder: Path, environment: Mapping[str, str], say: Callable[[str], None]
) -> AsyncIterator[Stores]:
    """Run an embedded server for each address that is not set, with its data in the folder.

    Raises ops.servers.embedded.Unavailable, ops.servers.server_process.InUse or NotStarted.
    """
    bootstrap = environment.get("KAFKA_BOOTSTRAP_SERVERS")
    uri = environment.get("MONGODB_URI")
    missing = [name for name, address in (("MongoDB", uri), ("Kafka", bootstrap)) if not address]
    if missing:
        say(f"Starting embedded {' and '.join(missing)} …")
    async with contextlib.AsyncExitStack() as stack:
        # MongoDB first, so that it stops last: it keeps its data however it ends.
        mongodb_uri = uri
        if not mongodb_uri:
            mongodb_uri = await stack.enter_async_context(embedded.mongodb(folder / "mongodb"))
        broker = bootstrap
        if not broker:
            broker = await stack.enter_async_context(embedded.kafka(folder / "kafka"))
        yield Stores(
            mongodb=mongodb_uri,
            kafka=broker,
            kafka_is_embedded=not bootstrap,
            mongodb_is_embedded=not uri,
        )


async def apply_topics(bootstrap: str, prefix: str) -> list[str]:
    """Create or change the topics; give the names of those. Raises OperatorError."""
    try:
        return await kafka.apply_topics(bootstrap, prefix)
    except ValueError as error:
        raise OperatorError(str(error)) from error
    except (KafkaError, OSError) as error:
        raise OperatorError(f"Kafka at {bootstrap}: {one_line(error)}") from error


async def apply_indexes(uri: str) -> list[str]:
    """Create the indexes of every service; give the databases' names. Raises OperatorError."""
    databases = []
    for service in SERVICES:
        database = f"realtoros_{service}"
        try:
            await mongo.apply_indexes(uri, database, store_of(service).documents)
        except PyMongoError as error:
            raise OperatorError(f"MongoDB at {public(uri)}: {one_line(error)}") from error
        databases.append(database)
    return databases


def store_of(service: Service) -> Store:
    """Give what a service keeps in its database.

    All are imported before the first is bound: Beanie changes a generic document when it binds
    one, and the states of those that are imported later would lose their fields.
    """
    stores = {
        name: importlib.import_module(f"services.{name}.documents").STORE for name in SERVICES
    }
    store: Store = stores[service]
    return store


def address_in(environment: Mapping[str, str], variable: str) -> str:
    """Give a server's address. Raises OperatorError when the variable is not set."""
    value = environment.get(variable)
    if not value:
        raise OperatorError(f"{variable} is not set: where is the server?")
    return value


def topic_prefix(environment: Mapping[str, str]) -> str:
    """Give what every topic's name begins with."""
    return environment.get("KAFKA_TOPIC_PREFIX") or DEFAULT_PREFIX


def public(uri: str) -> str:
    """Give the URI without user and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def one_line(error: Exception) -> str:
    """Give the first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0].partition(", Timeout:")[0]
