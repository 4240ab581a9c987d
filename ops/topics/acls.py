"""`realtoros topics acls`: what each service, and the operators, must be allowed on Kafka."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest

from chassis.kafka.servers import KafkaServers
from contracts.catalogue import (
    COMMANDS,
    EVENTS,
    QUARANTINES,
    REPLIES,
    RETRIES,
    TOPICS,
    Topic,
    read_by,
)
from contracts.services import SERVICES
from ops.errors import OperatorError

OPERATORS = "operators"
# Numbers of Kafka's protocol.
_RESOURCES = {"topic": 2, "group": 3}
_OPERATIONS = ("Unknown", "Any", "All", "Read", "Write", "Create", "Delete", "Alter", "Describe")
_LITERAL, _ALLOW, _ANY_HOST = 3, 3, "*"
# What an admin sees of the quarantines.
_SHOWS_QUARANTINES = "gateway"
# What `events import`, `republish`, and `quarantine retry` and `drop` write.
_WRITTEN_BY_OPERATORS = (*EVENTS, *COMMANDS, *QUARANTINES, *RETRIES)


@dataclass(frozen=True)
class Acl:
    """What a principal may do with one topic or group; names are with the prefix."""

    principal: str
    operations: tuple[str, ...]
    resource: str
    name: str

    @property
    def arguments(self) -> str:
        """The arguments for `kafka-acls.sh` that add it."""
        operations = " ".join(f"--operation {operation}" for operation in self.operations)
        return (
            f"--add --allow-principal User:{self.principal} {operations}"
            f" --{self.resource} {self.name}"
        )


def acls(prefix: str) -> list[Acl]:
    """Return all that is needed, of each service and of the operators, by their principals."""
    found = [acl for service in SERVICES for acl in _of_service(service, prefix)]
    return [*found, *_of_operators(prefix)]


async def allow(servers: KafkaServers, allowed: Iterable[Acl]) -> None:
    """Add them at a Kafka where `servers` may; those that are there stay. Raises OperatorError.

    In one connection, where kafka-acls.sh starts Java for every line.
    """
    client = servers.plain()
    await client.bootstrap()
    try:
        for acl in allowed:
            for operation in acl.operations:
                request = CreateAclsRequest(
                    *(_RESOURCES[acl.resource], acl.name, _LITERAL, f"User:{acl.principal}"),
                    *(_ANY_HOST, _OPERATIONS.index(operation), _ALLOW),
                )
                answer: Any = await client.send(client.get_random_node(), request)
                for code, message in answer.creation_responses:
                    if code:
                        raise OperatorError(f"{acl.arguments}: {message} ({code})")
    finally:
        await client.close()


def _of_service(service: str, prefix: str) -> Iterator[Acl]:
    principal = f"realtoros-{service}"
    writes = {topic.name for topic in TOPICS if service in topic.writers}
    reads = {*read_by(service), *(topic.name for topic in _read_without_group(service))}
    for topic in TOPICS:
        operations = ["Read"] * (topic.name in reads) + ["Write"] * (topic.name in writes)
        if operations:
            yield Acl(principal, ("Describe", *operations), "topic", prefix + topic.name)
    yield Acl(principal, ("Read",), "group", prefix + service)


def _read_without_group(service: str) -> Iterable[Topic]:
    """Return the topics that a service reads besides those of its group."""
    # At its start and every minute, what it has published is compared with its log.
    yield from (topic for topic in EVENTS if service in topic.writers)
    if service in REPLIES.readers:
        yield REPLIES
    if service == _SHOWS_QUARANTINES:
        yield from QUARANTINES


def _of_operators(prefix: str) -> Iterator[Acl]:
    principal = f"realtoros-{OPERATORS}"
    for topic in TOPICS:
        write = ("Write",) if topic in _WRITTEN_BY_OPERATORS else ()
        operations = ("Create", "Describe", "Read", *write)
        yield Acl(principal, operations, "topic", prefix + topic.name)
    # An import commits how far an owner had read, an export reads it.
    yield from (Acl(principal, ("Read",), "group", prefix + service) for service in SERVICES)
