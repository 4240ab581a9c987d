"""`realtoros replay` and `realtoros republish`."""

import contextlib
import gc
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
import uvloop

from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.kafka import client as kafka
from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import kafka_start_errors
from chassis.kafka.topic_reader import TopicReader, topic_reader
from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from chassis.recovery.digest import Comparison, Difference, digest
from chassis.recovery.reconciliation import (
    MissingEvents,
    OnProgress,
    Reconciliation,
    UniqueIndexConflict,
)
from chassis.recovery.replay import Replay
from chassis.recovery.restore import Fork
from chassis.recovery.shadow import SHADOW_PREFIX, SWAP, Superseded
from chassis.recovery.swap import NotCaughtUp, swap
from chassis.recovery.verify import verify
from contracts.services import Service
from ops.errors import OperatorError
from ops.servers.databases import database_of
from ops.servers.stores import mongodb_errors, store_of
from ops.signals import until_signalled
from ops.topics.reader import committed_offsets

T = TypeVar("T")

_PLAIN = ("status", "stage", "stream", "topic", ".type")
# Logged when all is built, before the digests.
BUILT = "built"

log = structlog.get_logger(__name__)


class Rebuild:
    """Rebuilds a service's data from the topics, or the topics from its data.

    Every method raises OperatorError.
    """

    def __init__(self, service: Service, servers: KafkaServers, prefix: str, uri: str) -> None:
        self._service = service
        self._servers = servers
        self._prefix = prefix
        self._uri = uri
        self._store = store_of(service)

    async def replay(self, until: datetime | None, show: OnProgress) -> list[str]:
        """Rebuild the collections next to the live ones; return a line for each."""
        async with self._connected() as (database, reader):
            started = time.monotonic()
            replay = self._replay(database, reader, "look", until)
            await replay.begin()
            _, ends = await replay.bounds()
            records = await replay.read(ends, show)
            await replay.read_unpublished()
            replay.check_complete()
            await replay.apply_indexes()
            seconds = time.monotonic() - started
            rate = f"{records / seconds:.0f}/s"
            log.info(BUILT, records=records, seconds=round(seconds, 1), rate=rate)
            lines = []
            for name in replay.collections:
                count, sha256 = await digest(replay.shadow[name])
                lines.append(f"{database.name}.{SHADOW_PREFIX}{name}  {count} documents  {sha256}")
            await replay.progress.close()
            return lines

    async def verify(self, show: OnProgress) -> list[Comparison]:
        """Rebuild the collections and compare; drop them again if none differs."""
        async with self._connected() as (database, reader):
            replay = self._replay(database, reader, "verify")
            consumed = await committed_offsets(self._servers, self._prefix, self._service)
            found = await verify(replay, consumed, show)
            if all(one.live == one.replayed for one in found):
                await replay.drop()
            return found

    async def swap(self, show: OnProgress) -> None:
        """Rebuild the collections and replace the live ones."""
        async with self._connected() as (database, reader):
            await swap(self._replay(database, reader, SWAP), show)

    async def republish(self, show: OnProgress) -> int:
        """Publish what the service's topics lack of its log; return how many commits."""
        if not self._store.aggregates:
            raise OperatorError(f"{self._service} publishes no events: choose another service")
        async with self._connected() as (database, reader):
            reconciliation = Reconciliation(
                self._service, self._store, database, reader, self._prefix
            )
            found = await reconciliation.run(full=True, on_progress=show)
            async with kafka.producer(self._servers, "realtoros-republish") as producer:
                relay = Relay(EventLog(database), producer, self._service, self._prefix)
                await relay.sweep(timedelta(0))
            if relay.dependency.reason:
                raise OperatorError(
                    f"some events could not be published, try again: {relay.dependency.reason}"
                )
            return found.to_publish

    def _replay(
        self, database: Database, reader: TopicReader, purpose: str, until: datetime | None = None
    ) -> Replay:
        return Replay(
            self._service, self._store, database, reader, self._prefix, purpose=purpose, until=until
        )

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Database, TopicReader]]:
        try:
            with kafka_start_errors(self._servers), mongodb_errors(self._uri):
                async with mongo.connect(self._uri) as client:
                    database = client[database_of(self._service)]
                    await database.command("ping")
                    await mongo.declare(database, self._store.documents)
                    async with topic_reader(self._servers, "realtoros-replay") as reader:
                        yield database, reader
        except (Fork, MissingEvents, UniqueIndexConflict, NotCaughtUp, Superseded) as error:
            raise OperatorError(str(error)) from error


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run work that makes many short-lived objects, with the event loop of a service.

    Raises KeyboardInterrupt when a signal ended it, once it has cleaned up: a swap holds services
    off.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)

    async def in_tuple() -> tuple[T]:
        return (await work,)

    found = uvloop.run(until_signalled(in_tuple(), lambda _: None))
    if found is None:
        raise KeyboardInterrupt
    return found[0]


def report(found: list[Comparison]) -> Iterator[str]:
    """Yield lines on the result of a verification, without personal data."""
    for one in found:
        (count, sha256), fresh = one.live, one.replayed
        if one.live == fresh:
            yield f"{one.name}  {count} documents  {sha256}  equal"
            continue
        yield f"{one.name}  DIFFERENT"
        yield f"  live    {count} documents  {sha256}"
        yield f"  replay  {fresh[0]} documents  {fresh[1]}"
        for difference in one.differences:
            yield from _describe_difference(difference)


def _describe_difference(difference: Difference) -> Iterator[str]:
    live, fresh = difference
    yield f"  {(live or fresh or {})['_id']}"
    if live is None or fresh is None:
        yield f"    is only {'live' if live else 'in the replay'}"
        return
    left, right = dict(_leaves(live)), dict(_leaves(fresh))
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            old, new = _redacted(path, left), _redacted(path, right)
            yield f"    {path}: {old} live, {new} in the replay"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in items:
        below = f"{path}.{name}" if path else str(name)
        # The names of custom fields are free text.
        if isinstance(each, dict | list) and name != "custom_fields":
            yield from _leaves(each, below)
        else:
            yield below, each


def _redacted(path: str, leaves: dict[str, Any]) -> str:
    if path not in leaves:
        return "absent"
    # Any text may be personal, in read models and in the data of commits.
    value = leaves[path]
    if isinstance(value, dict | list):
        return "some fields"
    return "a text" if isinstance(value, str) and not path.endswith(_PLAIN) else str(value)
