"""`realtoros replay` and `realtoros republish`."""

import contextlib
import gc
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
import uvloop
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.kafka import client as kafka
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
from ops.errors import OperatorError
from ops.servers.stores import one_line, public, store_of
from ops.services import Service
from ops.signals import until_signalled
from ops.topics.reader import handled

T = TypeVar("T")

_PLAIN = ("status", "stage", "stream", "topic", ".type")
# Said when all is built: what follows are the digests.
BUILT = "built"

log = structlog.get_logger(__name__)


class Rebuilding:
    """A service's data, to be built anew from the topics or the topics from it."""

    def __init__(self, service: Service, bootstrap: str, prefix: str, uri: str) -> None:
        self._service = service
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._uri = uri
        self._store = store_of(service)

    async def replay(self, until: datetime | None, show: OnProgress) -> list[str]:
        """Build the collections anew and leave them beside the live ones; describe them."""
        async with self._connected() as (database, reader):
            started = time.monotonic()
            replay = self._replay(database, reader, "look", until)
            await replay.begin()
            _, ends = await replay.bounds()
            records = await replay.read(ends, show)
            await replay.read_tail()
            replay.check_whole()
            await replay.apply_indexes()
            seconds = time.monotonic() - started
            rate = f"{records / seconds:.0f}/s"
            log.info(BUILT, records=records, seconds=round(seconds, 1), rate=rate)
            lines = []
            for name in replay.collections:
                count, sha256 = await digest(replay.fresh[name])
                lines.append(f"{database.name}.{SHADOW_PREFIX}{name}  {count} documents  {sha256}")
            await replay.progress.close()
            return lines

    async def verify(self, show: OnProgress) -> list[Comparison]:
        """Build the collections anew and compare; what does not differ is dropped again."""
        async with self._connected() as (database, reader):
            replay = self._replay(database, reader, "verify")
            consumed = await handled(self._bootstrap, self._prefix, self._service)
            found = await verify(replay, consumed, show)
            if all(one.live == one.fresh for one in found):
                await replay.drop()
            return found

    async def swap(self, show: OnProgress) -> None:
        """Build the collections anew and put them in the place of the live ones."""
        async with self._connected() as (database, reader):
            await swap(self._replay(database, reader, SWAP), show)

    async def republish(self, show: OnProgress) -> int:
        """Compare the whole of the service's topics with its log, and publish what they lack."""
        if not self._store.aggregates:
            raise OperatorError(f"{self._service} publishes no events")
        async with self._connected() as (database, reader):
            reconciliation = Reconciliation(
                self._service, self._store, database, reader, self._prefix
            )
            found = await reconciliation.run(whole=True, show=show)
            async with kafka.producer(self._bootstrap, "realtoros-republish") as producer:
                relay = Relay(EventLog(database), producer, self._service, self._prefix)
                await relay.sweep(timedelta(0))
            if relay.trouble.reason:
                raise OperatorError(f"not all could be published: {relay.trouble.reason}")
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
            async with mongo.connect(self._uri) as client:
                database = client[f"realtoros_{self._service}"]
                await database.command("ping")
                await mongo.declare(database, self._store.documents)
                async with topic_reader(self._bootstrap, "realtoros-replay") as reader:
                    yield database, reader
        except (Fork, MissingEvents, UniqueIndexConflict, NotCaughtUp, Superseded) as error:
            raise OperatorError(str(error)) from error
        except KafkaError as error:
            raise OperatorError(f"Kafka at {self._bootstrap}: {one_line(error)}") from error
        except PyMongoError as error:
            raise OperatorError(f"MongoDB at {public(self._uri)}: {one_line(error)}") from error


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run work that makes many objects of little age, as a service's process does.

    Raises KeyboardInterrupt when a signal ended it, once it has tidied up: a swap holds services
    off.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)

    async def whole() -> tuple[T]:
        return (await work,)

    found = uvloop.run(until_signalled(whole(), lambda _: None))
    if found is None:
        raise KeyboardInterrupt
    return found[0]


def report(found: list[Comparison]) -> Iterator[str]:
    """Describe what a verification has found; nothing personal is in it."""
    for one in found:
        (count, sha256), fresh = one.live, one.fresh
        if one.live == fresh:
            yield f"{one.name}  {count} documents  {sha256}  equal"
            continue
        yield f"{one.name}  DIFFERENT"
        yield f"  live    {count} documents  {sha256}"
        yield f"  replay  {fresh[0]} documents  {fresh[1]}"
        for difference in one.differences:
            yield from _told(difference)


def _told(difference: Difference) -> Iterator[str]:
    live, fresh = difference
    yield f"  {(live or fresh or {})['_id']}"
    if live is None or fresh is None:
        yield f"    is only {'live' if live else 'in the replay'}"
        return
    left, right = dict(_leaves(live)), dict(_leaves(fresh))
    for path in sorted(left.keys() | right.keys()):
        if left.get(path) != right.get(path):
            yield f"    {path}: {_shown(path, left)} live, {_shown(path, right)} in the replay"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, each in items:
        below = f"{path}.{name}" if path else str(name)
        # Agents name them as they like.
        if isinstance(each, dict | list) and name != "custom_fields":
            yield from _leaves(each, below)
        else:
            yield below, each


def _shown(path: str, leaves: dict[str, Any]) -> str:
    if path not in leaves:
        return "absent"
    # Any text may be personal: read models have it beside the rest, commits in their data.
    value = leaves[path]
    if isinstance(value, dict | list):
        return "some fields"
    return "a text" if isinstance(value, str) and not path.endswith(_PLAIN) else str(value)
