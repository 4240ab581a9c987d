"""`realtoros doctor`: what services ask at their start, asked by an operator, and the clocks."""

import time
from collections.abc import Awaitable, Callable, Sequence

import pymongo

from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import check_login, check_topics, kafka_start_errors
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.mongo.start_check import address_of, check_indexes, check_server, mongodb_start_errors
from chassis.start.exit_codes import ExitCode, StartError
from contracts.catalogue import read_by
from contracts.services import Service
from ops.servers.databases import database_of
from ops.servers.stores import store_of, without_credentials

_CLIENT = "realtoros-doctor"
_PING_SECONDS = 3
# Leases and due dates are compared between machines.
_MOST_SKEW_SECONDS = 5


async def diagnose(
    kafka: KafkaServers,
    prefix: str,
    uri: str,
    services: Sequence[Service],
    say: Callable[[str], None],
) -> ExitCode:
    """Print a line for each check; return the exit code of the first that found something."""
    found = ExitCode.STOPPED

    async def ask(what: str, check: Awaitable[None]) -> None:
        nonlocal found
        try:
            await check
        except StartError as error:
            found = found or error.code
            say(f"WRONG  {what}: {' '.join(str(error).split())}")
        else:
            say(f"ok     {what}")

    async with mongo.connect(uri) as client:
        databases = {service: client[database_of(service)] for service in services}
        first = databases[services[0]]
        await ask(f"MongoDB at {without_credentials(uri)}", check_server(uri, first))
        await ask("the clock beside MongoDB's", _clock(first))
        if found:
            return found
        for service, database in databases.items():
            await ask(f"collections and indexes of {service}", _indexes(service, database))
    await ask(f"Kafka at {kafka}", check_login(kafka))
    for service in services:
        await ask(f"topics that {service} reads", _topics(kafka, prefix, service))
    return found


async def _clock(database: Database) -> None:
    with mongodb_start_errors(address_of(database)), pymongo.timeout(_PING_SECONDS):
        asked = time.time()
        hello = await database.command("hello")
        answered = time.time()
    there = hello["localTime"].timestamp()
    if (apart := skew(asked, there, answered)) > _MOST_SKEW_SECONDS:
        raise StartError(
            ExitCode.FAILED,
            f"this machine's clock and MongoDB's differ by {apart:.0f} s; set both by NTP",
        )


def skew(asked: float, there: float, answered: float) -> float:
    """Return by how many seconds a clock differs at least that said `there` in between."""
    return max(asked - there, there - answered, 0)


async def _indexes(service: Service, database: Database) -> None:
    documents = store_of(service).documents
    with mongodb_start_errors(address_of(database)):
        await mongo.declare(database, documents)
    await check_indexes(database, documents)


async def _topics(kafka: KafkaServers, prefix: str, service: Service) -> None:
    with kafka_start_errors(kafka):
        async with topic_reader(kafka, _CLIENT) as reader:
            await check_topics(kafka, reader, [prefix + name for name in read_by(service)])
