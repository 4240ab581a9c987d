"""Topics with whole histories of clients, in the order of their times."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from aiokafka import AIOKafkaProducer

from chassis.eventlog.aggregate import Commit
from chassis.kafka.servers import KafkaServers
from contracts import cloudevents
from contracts.catalogue import EVENTS
from ops.topics.reader import partitions, reader
from tests.bench.client_history import ClientHistory
from tests.bench.event_history import agent_history

AGENTS = 40
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
# About 65 new clients a day: 12,000 in half a year.
_BETWEEN_CLIENTS = timedelta(minutes=22)
_CREATION_SECONDS = 30


def history() -> Iterator[Commit]:
    """Yield commits in the order of their times, without end; the same ones every time.

    Many histories run at once, so that the events of a stream are interleaved with others.
    """
    histories: list[tuple[datetime, int, Commit, Iterator[Commit]]] = []

    def advance(number: int, history: Iterator[Commit]) -> None:
        if commit := next(history, None):
            heapq.heappush(histories, (commit.at, number, commit, history))

    for number in range(AGENTS):
        advance(-1 - number, agent_history(number, _BEGIN))
    for number in count():
        begins = _BEGIN + timedelta(hours=1) + number * _BETWEEN_CLIENTS
        advance(number, ClientHistory(number, number % AGENTS, begins).commits())
        while histories[0][0] < begins:
            _, of, commit, history = heapq.heappop(histories)
            yield commit
            advance(of, history)


async def produce(bootstrap: str, prefix: str, events: int) -> int:
    """Produce so many events to the topics, or one or two more; return how many."""
    servers, names = KafkaServers(bootstrap), [topic.name for topic in EVENTS]
    all_partitions = await partitions(servers, prefix, names, within=_CREATION_SECONDS)
    async with reader(servers) as consumer:
        # Answered once each new partition has a leader.
        await consumer.end_offsets(all_partitions)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=False,
        max_batch_size=128 * 1024,
        linger_ms=20,
    )
    produced = 0
    async with producer:
        for commit in history():
            at = int(commit.at.timestamp() * 1000)
            for one in commit.events:
                # Not awaited until it is acknowledged; a full buffer blocks.
                await producer.send(
                    prefix + commit.topic,
                    value=one.json.encode(),
                    key=str(commit.key).encode(),
                    headers=cloudevents.write(one.envelope),
                    timestamp_ms=at,
                )
                produced += 1
            if produced >= events:
                break
        await producer.flush()
    return produced
