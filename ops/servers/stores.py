"""Kafka and MongoDB, and what must be in them before services start."""

import contextlib
import importlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from errno import ENOSPC
from pathlib import Path
from urllib.parse import urlsplit

from pymongo.errors import OperationFailure

from chassis.kafka import client as kafka
from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import kafka_start_errors
from chassis.mongo import client as mongo
from chassis.mongo.start_check import cause_of, mongodb_start_errors
from chassis.recovery.persistence import Store
from chassis.start.exit_codes import StartError
from chassis.start.kafka_settings import KafkaSettings
from chassis.start.secret_files import read_secret
from contracts.catalogue import DEFAULT_PREFIX
from contracts.services import SERVICES, Service
from ops.errors import OperatorError, explain
from ops.servers import embedded, mongodb_users
from ops.servers.databases import database_of
from ops.servers.restarts import Meanwhile, Restarts
from ops.servers.server_log import exit_reason

# The embedded MongoDB's data, in the folder of `up` or `demo`.
MONGODB_FOLDER = "mongodb"
# How MongoDB itself refuses a write without room; else it tells what the system refused.
_OUT_OF_DISK_SPACE = 14_031


@dataclass(frozen=True)
class Servers:
    """The addresses of Kafka and MongoDB, and which of them are embedded.

    `mongodb` is the operator's URI; `mongodb_of` holds those of services with a user of their own.
    """

    kafka: KafkaServers
    mongodb: str = field(repr=False)
    mongodb_of: Mapping[Service, str] = field(default_factory=dict, repr=False)
    kafka_is_embedded: bool = False
    mongodb_is_embedded: bool = False

    def describe(self) -> list[str]:
        """Return a line for each server, without credentials."""
        kafka = " (embedded)" if self.kafka_is_embedded else ""
        mongodb = " (embedded)" if self.mongodb_is_embedded else ""
        return [
            f"Kafka    {self.kafka}{kafka}",
            f"MongoDB  {without_credentials(self.mongodb)}{mongodb}",
        ]


@contextlib.asynccontextmanager
async def running_servers(
    folder: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
    without_kafka: Meanwhile = contextlib.nullcontext,
) -> AsyncIterator[Servers]:
    """Run an embedded server for each address that is not set, with its data in the folder.

    One that ends by itself is started again. Kafka's clients, which find it without its last
    records, have to be away from its end to its start: `without_kafka` is entered meanwhile.
    Raises ops.servers.embedded.Unavailable, ops.servers.server_process.InUse or NotStarted, and
    OperatorError instead of what the body cannot do with an embedded MongoDB.
    """
    bootstrap = environment.get("KAFKA_BOOTSTRAP_SERVERS")
    uri = read_secret(environment, "MONGODB_URI")
    missing = [name for name, address in (("MongoDB", uri), ("Kafka", bootstrap)) if not address]
    if missing:
        say(f"Starting embedded {' and '.join(missing)} …")
    async with contextlib.AsyncExitStack() as stack:
        # MongoDB first, so that it stops last: it keeps its data however it ends.
        mongodb_uri, mongodb_of = uri, {}
        if not mongodb_uri:
            data = folder / MONGODB_FOLDER
            mongodb_uri = await stack.enter_async_context(embedded.mongodb(data, Restarts(say)))
            mongodb_of = {name: mongodb_users.uri_of(name, data, mongodb_uri) for name in SERVICES}
        if bootstrap:
            broker = kafka_servers(environment)
        else:
            restarts = Restarts(say, without_kafka)
            address = await stack.enter_async_context(embedded.kafka(folder / "kafka", restarts))
            broker = KafkaServers(address)
        servers = Servers(
            mongodb=mongodb_uri,
            mongodb_of=mongodb_of,
            kafka=broker,
            kafka_is_embedded=not bootstrap,
            mongodb_is_embedded=not uri,
        )
        try:
            yield servers
        except StartError as error:
            # Its line advises on a setting that nobody has made.
            if not uri and "MONGODB_URI" in str(error):
                why = exit_reason(folder / MONGODB_FOLDER / "mongod.log")
                raise OperatorError(f"the embedded MongoDB does not answer: {why}") from error
            raise


async def apply_topics(servers: KafkaServers, prefix: str) -> list[str]:
    """Create or change the topics; return their names. Raises StartError or OperatorError."""
    with kafka_start_errors(servers):
        try:
            return await kafka.apply_topics(servers, prefix)
        except ValueError as error:
            raise OperatorError(str(error)) from error


async def apply_indexes(uri: str) -> list[str]:
    """Create the indexes of every service; return the databases' names. Raises as `mongodb_errors`.

    What 0.1.0 has stored is made to fit them.
    """
    from services.crm.documents import renew_email_keys  # noqa: PLC0415 - see `store_of`

    databases = []
    with mongodb_errors(uri):
        for service in SERVICES:
            database = database_of(service)
            await mongo.apply_indexes(uri, database, store_of(service).documents)
            databases.append(database)
        async with mongo.connect(uri) as client:
            await renew_email_keys(client[database_of("crm")])
    return databases


@contextlib.contextmanager
def mongodb_errors(uri: str) -> Iterator[None]:
    """Raise an error of MongoDB's client as a StartError, or else as an OperatorError."""
    address = without_credentials(uri)
    try:
        with mongodb_start_errors(address):
            yield
    except OperationFailure as error:
        cause = cause_of(error)
        if error.code == _OUT_OF_DISK_SPACE or os.strerror(ENOSPC) in cause:
            cause = explain(OSError(ENOSPC, cause))
        raise OperatorError(f"MONGODB_URI: {address}: {cause}") from error


def store_of(service: Service) -> Store:
    """Return what a service keeps in its database.

    All are imported before the first is bound: Beanie changes a generic document when it binds
    one, and the states of those that are imported later would lose their fields.
    """
    stores = {
        name: importlib.import_module(f"services.{name}.documents").STORE for name in SERVICES
    }
    store: Store = stores[service]
    return store


def require_address(environment: Mapping[str, str], variable: str) -> str:
    """Return a server's address. Raises OperatorError when the variable is not set."""
    value = read_secret(environment, variable)
    if not value:
        raise OperatorError(f"{variable} is not set: set it to the server's address")
    return value


def kafka_servers(environment: Mapping[str, str]) -> KafkaServers:
    """Return the Kafka of the environment. Raises StartError, which names wrong settings."""
    names = (name for name in KafkaSettings.model_fields if name.upper() in environment)
    return KafkaServers.of(KafkaSettings.parse(**{n: environment[n.upper()] for n in names}))


def topic_prefix(environment: Mapping[str, str]) -> str:
    """Return what every topic's name begins with."""
    return environment.get("KAFKA_TOPIC_PREFIX") or DEFAULT_PREFIX


def without_credentials(uri: str) -> str:
    """Return the URI without user and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
