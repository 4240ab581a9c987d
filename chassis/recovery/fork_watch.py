"""The watch for forks: what stands in a service's topics is compared with its log, again and again.

A fork shows that another process wrote in the service's name. Readers take the version that they
read first, so they may hold another event than the service: a person has to decide.
"""

import asyncio

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from chassis.kafka.checkpoints import (
    Checkpoint,
    Checkpoints,
    ComparedDocument,
    PublishedDocument,
    continued_partitions,
)
from chassis.kafka.servers import KafkaServers
from chassis.kafka.topic_reader import Offsets, TopicReader, topic_reader
from chassis.mongo.client import Database, Raw
from chassis.process.metrics import report_failure
from chassis.recovery.forks import Forks, StandingFork, describe
from chassis.recovery.restore import own_topics

COMPARE_SECONDS = 60.0
BATCH_RECORDS = 500

log = structlog.get_logger(__name__)


class ForkWatch:
    """Compares a service's own topics with its log: from where it last did to their ends.

    Replicas share the work: how far the topics are compared is stored in their database.
    """

    def __init__(
        self, service: str, database: Database, servers: KafkaServers, prefix: str
    ) -> None:
        self._client_id = f"realtoros-{service}"
        self._servers = servers
        self._topics = own_topics(service, prefix)
        self._forks = Forks(service, database, prefix)
        self._compared = Checkpoints(database, ComparedDocument)
        self._published = Checkpoints(database, PublishedDocument)
        self._found: dict[str, Raw] = {}

    async def start(self, reader: TopicReader) -> None:
        """Compare what was added since the last time; call it once all is reconciled.

        Raises StandingFork, KafkaError, PyMongoError.
        """
        await self._compare(reader, starting=True)
        if stored := await self._forks.stored():
            raise StandingFork(stored[0])

    async def run(self) -> None:
        """Compare what is added, until cancelled."""
        while True:
            await asyncio.sleep(COMPARE_SECONDS)
            try:
                # Connected for this time only: an open consumer costs more than a connection.
                async with topic_reader(self._servers, self._client_id) as reader:
                    await self._compare(reader)
                self._report(await self._forks.stored())
            except (KafkaError, PyMongoError, TimeoutError) as error:
                log.warning("comparing_failed", error=type(error).__name__)

    async def check(self) -> str | None:
        """Return the first fork that was found since the start, as a readiness check does."""
        if not self._found:
            return None
        first = describe(next(iter(self._found.values())))
        return f"{first}; {len(self._found)} in all" if len(self._found) > 1 else first

    def _report(self, stored: list[Raw]) -> None:
        for fork in stored:
            if fork["_id"] not in self._found:
                self._found[fork["_id"]] = fork
                facts = {name: str(value) for name, value in fork.items() if name != "_id"}
                report_failure("fork", **facts)

    async def _compare(self, reader: TopicReader, *, starting: bool = False) -> None:
        begins, ends = await reader.bounds(self._topics)
        compared = await self._compared.find(ends)
        starts = await self._starts(reader, compared, begins, ends, starting=starting)
        within = {p: ends[p] for p in starts}
        async for records, _ in reader.batches(starts, within, BATCH_RECORDS):
            await self._forks.store(await self._forks.find(records))
            last: dict[TopicPartition, Checkpoint] = {
                TopicPartition(r.topic, r.partition): (r.offset, r.timestamp) for r in records
            }
            await self._compared.put(last, begins)
        # What comes first into an empty partition has to be compared, too.
        empty = [p for p in ends if p not in compared and begins[p] == ends[p]]
        await self._compared.put({p: (begins[p] - 1, 0) for p in empty}, begins)

    async def _starts(
        self,
        reader: TopicReader,
        compared: dict[TopicPartition, Raw],
        begins: Offsets,
        ends: Offsets,
        *,
        starting: bool,
    ) -> Offsets:
        """Return the offsets to compare from, of the partitions that have anything new."""
        # A topic that ends before it was created again, or its broker is not up to date yet.
        unlike = {p for p, raw in compared.items() if ends[p] != raw["offset"] + 1}
        new = {p for p in unlike if starting or ends[p] > compared[p]["offset"]}
        continued = await continued_partitions(reader, {p: compared[p] for p in new}, begins, ends)
        starts = {
            p: max(compared[p]["offset"] + 1 if p in continued else 0, begins[p]) for p in new
        }
        if unknown := ends.keys() - compared.keys():
            # Before its first comparison, a service has compared what it published at its starts.
            published = await self._published.find(unknown)
            starts |= {p: published[p]["offset"] if p in published else begins[p] for p in unknown}
        return starts
