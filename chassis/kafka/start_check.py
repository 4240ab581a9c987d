"""Whether Kafka is as a process needs it; what is not ends the start with one line."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import Iterator, Sequence

from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)

from chassis.kafka.servers import KafkaServers
from chassis.kafka.topic_reader import TopicReader
from chassis.start.exit_codes import ExitCode, StartError

CONNECT_SECONDS = 3
# Brokers learn from their controller of topics that have just been created.
TOPICS_SECONDS = 2.0
_LOGIN_REFUSED = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
_RIGHTS_REFUSED = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)


async def check_login(servers: KafkaServers) -> None:
    """Log in at the first broker that answers. Raises StartError with the last one's cause."""
    options = {k: v for k, v in servers.connection.items() if k != "bootstrap_servers"}
    error = StartError(ExitCode.WRONG_SETTING, "KAFKA_BOOTSTRAP_SERVERS: names no address")
    for address in servers.bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await create_conn(host.strip("[]"), int(port), **options)
        except (OSError, KafkaError, TimeoutError) as failed:
            error = _error(address.strip(), failed)
        else:
            connection.close()
            return
    raise error


async def check_topics(servers: KafkaServers, reader: TopicReader, topics: Sequence[str]) -> None:
    """Raise StartError when a topic is missing, or hidden from this user."""
    try:
        await reader.bounds(topics, TOPICS_SECONDS)
    except UnknownTopicOrPartitionError as error:
        raise StartError(
            ExitCode.MISSING,
            f"KAFKA_TOPIC_PREFIX: {servers}: no topic {error.args[0]};"
            " run `realtoros topics apply`, or let this user read it: `realtoros topics acls`",
        ) from error


@contextlib.contextmanager
def kafka_start_errors(servers: KafkaServers) -> Iterator[None]:
    """Raise an error of Kafka's client as a StartError."""
    try:
        yield
    except KafkaError as error:
        raise _error(servers.bootstrap, error) from error


def _error(address: str, error: Exception) -> StartError:
    cause = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, _LOGIN_REFUSED):
        line = f"KAFKA_SASL_PASSWORD: {address}: login refused; check user, password and mechanism"
        return StartError(ExitCode.REFUSED, line)
    if isinstance(error, _RIGHTS_REFUSED):
        line = f"KAFKA_SASL_USERNAME: {address}: {cause}; grant what `realtoros topics acls` prints"
        return StartError(ExitCode.REFUSED, line)
    if isinstance(error, ssl.SSLError):
        line = f"KAFKA_SSL_CA_FILE: {address}: {error.reason or cause}; check CA and protocol"
        return StartError(ExitCode.REFUSED, line)
    if isinstance(error, TimeoutError):
        cause = f"no answer within {CONNECT_SECONDS} s"
    elif isinstance(error, OSError):
        number = error.errno or 0
        # asyncio puts its own words instead of the system's; errors of names are negative.
        cause = os.strerror(number) if number > 0 else error.strerror or cause
    if isinstance(error, BrokerResponseError):
        return StartError(ExitCode.FAILED, f"KAFKA_BOOTSTRAP_SERVERS: {address}: {cause}")
    line = f"KAFKA_BOOTSTRAP_SERVERS: {address}: {cause}; check address and protocol, start Kafka"
    return StartError(ExitCode.UNREACHABLE, line)
