"""The relay: a stream's events in order, at least once, from any process."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from chassis.eventlog.aggregate import StateDocument
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from contracts import cloudevents
from contracts.cloudevents import EventEnvelope
from tests.chassis.raw_records import all_of, versions
from tests.chassis.tally import Tally, TallyEvent, change, labelled, now, opened
from tests.servers import Server

AT_ONCE = timedelta(0)
TOO_LARGE = "x" * 1_200_000


@pytest.fixture
def relay(log: EventLog, producer: AIOKafkaProducer, topics: str) -> Relay:
    """A relay of the process that appends to `log`."""
    return Relay(log, producer, "mailer", topics)


@pytest.fixture
def later(database: Database, producer: AIOKafkaProducer, topics: str) -> Relay:
    """A relay of another process, started later."""
    return Relay(EventLog(database), producer, "mailer", topics)


async def appended(
    log: EventLog,
    of: UUID,
    *commits: Sequence[TallyEvent],
    stored: StateDocument[Tally] | None = None,
) -> StateDocument[Tally]:
    """Append commits to one stream, one after the other."""
    for events in commits:
        made = change(of, *events, stored=stored)
        assert await log.append([made]) == [None]
        stored = made.document
    assert stored
    return stored


async def published(database: Database, of: UUID) -> list[Any]:
    found = database["commits"].find({"stream": f"email-{of}"}).sort("first", 1)
    return [commit["published"] async for commit in found]


async def test_what_was_appended_stands_in_the_topic_in_order_and_is_marked_with_its_place(
    log: EventLog, relay: Relay, kafka: Server, topics: str, database: Database
) -> None:
    ids = [uuid4() for _ in range(4)]
    for of in ids:
        await appended(log, of, [opened(of), opened(of)], [opened(of)], [opened(of), opened(of)])
    await relay.flush()
    records = await all_of(kafka.address, f"{topics}emails")
    assert len(records) == 20
    for of in ids:
        own = [r for r in records if dict(r.headers)["ce_subject"] == f"email-{of}".encode()]
        read = [cloudevents.read(record.headers) for record in own]
        numbers = [e.version for e in read if isinstance(e, EventEnvelope)]
        assert numbers == [1, 2, 3, 4, 5]
        stored = await database["commits"].find({"stream": f"email-{of}"}).sort("first").to_list()
        events = [event for commit in stored for event in commit["events"]]
        assert [(r.value.decode(), e.id) for r, e in zip(own, read, strict=True)] == [
            (event["data"], event["id"]) for event in events
        ]
        assert {record.key for record in own} == {str(stored[0]["key"]).encode()}
        assert [commit["published"] for commit in stored] == [
            {"partition": own[last].partition, "offset": own[last].offset} for last in (1, 2, 4)
        ]


async def test_a_dead_process_s_commits_are_swept_and_come_out_the_same_to_the_byte(
    log: EventLog, relay: Relay, later: Relay, kafka: Server, topics: str, database: Database
) -> None:
    of = uuid4()
    await appended(log, of, [opened(of)], [opened(of), opened(of)])
    await later.sweep(AT_ONCE)
    await relay.flush()
    records = await all_of(kafka.address, f"{topics}emails")
    swept, flushed = records[:3], records[3:]
    assert [(r.key, r.value, r.headers) for r in swept] == [
        (r.key, r.value, r.headers) for r in flushed
    ]
    assert all(await published(database, of))


async def test_a_sweep_leaves_what_is_younger_and_takes_what_is_published_only_once(
    log: EventLog, later: Relay, kafka: Server, topics: str, database: Database
) -> None:
    of = uuid4()
    await appended(log, of, [opened(of)])
    await later.sweep(timedelta(hours=1))
    assert await published(database, of) == [False]
    await later.sweep(AT_ONCE)
    await later.sweep(AT_ONCE)
    assert await versions(kafka.address, f"{topics}emails") == {f"email-{of}": [1]}


async def test_more_than_a_sweep_takes_at_once_is_swept_too(
    log: EventLog, later: Relay, kafka: Server, topics: str
) -> None:
    ids = [uuid4() for _ in range(1100)]
    assert not any(await log.append([change(of, opened(of)) for of in ids]))
    await later.sweep(AT_ONCE)
    assert len(await versions(kafka.address, f"{topics}emails")) == 1100


async def test_what_a_dead_process_left_of_a_stream_goes_before_the_next(
    log: EventLog, database: Database, producer: AIOKafkaProducer, kafka: Server, topics: str
) -> None:
    of = uuid4()
    dead = EventLog(database)
    stored = None
    for _ in range(2):
        made = change(of, opened(of), stored=stored)
        await dead._store([(made, asyncio.get_running_loop().create_future())])
        stored = made.document
    relay = Relay(log, producer, "mailer", topics)
    await appended(log, of, [opened(of)], [opened(of)], stored=stored)
    await relay.flush()
    assert await versions(kafka.address, f"{topics}emails") == {f"email-{of}": [1, 2, 3, 4]}
    assert all(await published(database, of))


async def test_what_another_process_appended_between_two_commits_goes_between_them(
    log: EventLog,
    relay: Relay,
    database: Database,
    producer: AIOKafkaProducer,
    kafka: Server,
    topics: str,
) -> None:
    of, other = uuid4(), EventLog(database)
    behind = Relay(other, producer, "mailer", topics)
    flushing = asyncio.create_task(other.run())
    first = await appended(log, of, [opened(of)])
    third = await appended(other, of, [opened(of)], [opened(of)], stored=first)
    await appended(log, of, [opened(of)], stored=third)
    await relay.flush()
    assert await versions(kafka.address, f"{topics}emails") == {f"email-{of}": [1, 2, 3, 4]}
    await behind.flush()
    await cancel_and_wait([flushing])


async def test_a_stream_stops_at_what_cannot_be_published_and_others_go_on(
    log: EventLog, relay: Relay, kafka: Server, topics: str, database: Database
) -> None:
    stuck, other = uuid4(), uuid4()
    await appended(log, stuck, [opened(stuck)], [labelled(stuck, TOO_LARGE)], [opened(stuck)])
    await appended(log, other, [opened(other)], [opened(other)])
    await relay.flush()
    for _ in range(2):
        assert await versions(kafka.address, f"{topics}emails") == {
            f"email-{stuck}": [1],
            f"email-{other}": [1, 2],
        }
        assert [bool(mark) for mark in await published(database, stuck)] == [True, False, False]
        await relay.sweep(AT_ONCE)
    assert relay.dependency.reason


async def test_a_clock_that_runs_ahead_does_not_turn_a_stream_s_order_around(
    log: EventLog, later: Relay, kafka: Server, topics: str
) -> None:
    of = uuid4()
    ahead = change(of, opened(of), at=now() + timedelta(minutes=1))
    behind = change(of, opened(of), stored=ahead.document, at=now() - timedelta(minutes=1))
    assert await log.append([ahead, behind]) == [None, None]
    await later.sweep(timedelta(seconds=5))
    assert await versions(kafka.address, f"{topics}emails") == {f"email-{of}": [1, 2]}
