"""Topics as years of use would leave them: whole lives of clients, in the order of their times."""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from aiokafka import AIOKafkaProducer

from chassis.eventlog.aggregate import Commit
from contracts import cloudevents
from contracts.catalogue import EVENTS
from ops.topics.reader import partitions, reader
from tests.bench.client_history import ClientLife
from tests.bench.event_history import agent_life

AGENTS = 40
_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
# About 65 new clients a day: 12,000 in half a year.
_BETWEEN_CLIENTS = timedelta(minutes=22)
_CREATION_SECONDS = 30


def history() -> Iterator[Commit]:
    """Yield commits in the order of their times, without end; the same ones every time.

    Many lives go on at once, so that the events of a stream stand apart from each other.
    """
    lives: list[tuple[datetime, int, Commit, Iterator[Commit]]] = []

    def go_on(number: int, life: Iterator[Commit]) -> None:
        if commit := next(life, None):
            heapq.heappush(lives, (commit.at, number, commit, life))

    for number in range(AGENTS):
        go_on(-1 - number, agent_life(number, _BEGIN))
    for number in count():
        begins = _BEGIN + timedelta(hours=1) + number * _BETWEEN_CLIENTS
        go_on(number, ClientLife(number, number % AGENTS, begins).tell())
        while lives[0][0] < begins:
            _, of, commit, life = heapq.heappop(lives)
            yield commit
            go_on(of, life)


async def produce(bootstrap: str, prefix: str, events: int) -> int:
    """Write so many events into the topics, or one or two more; give how many."""
    names = [topic.name for topic in EVENTS]
    places = await partitions(bootstrap, prefix, names, within=_CREATION_SECONDS)
    async with reader(bootstrap) as consumer:
        # Answered once each partition that was just created has its leader.
        await consumer.end_offsets(places)
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
                # Not awaited until it is acknowledged; a full buffer holds it up.
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
