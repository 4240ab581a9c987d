"""Checkpoints: that a topic was begun anew under a running service is not forgotten."""

import pytest
from aiokafka import TopicPartition
from pymongo.errors import AutoReconnect

from chassis.kafka.checkpoints import BEFORE_ALL, Checkpoint, Checkpoints, PublishedDocument
from chassis.mongo.client import Database

PARTITION = TopicPartition("emails", 3)
BEGIN = 0


async def begin_after(database: Database, *noted: Checkpoint) -> int:
    """Give where the partition is known to begin: at (2, 1000) once, then these were noted."""
    places = Checkpoints(database, PublishedDocument)
    await places.put({PARTITION: (2, 1000)}, {PARTITION: BEGIN})
    for place in noted:
        places.note(PARTITION, place)
    await places.keep(now=True)
    found = (await places.find([PARTITION]))[PARTITION]
    assert (found["offset"], found["time"]) == noted[-1]
    begin: int = found["begin"]
    return begin


async def test_what_follows_leaves_the_beginning_as_it_is(database: Database) -> None:
    assert await begin_after(database, (2, 1000), (3, 1000), (4, 1500)) == BEGIN


@pytest.mark.parametrize(
    "noted",
    [
        [(0, 2000)],
        [(2, 2000)],
        # All between two writings: further in the end than the topic before was.
        [(number, 2000) for number in range(6)],
        [(3, 1500), (9, 1800), (5, 2400)],
    ],
)
async def test_a_later_record_at_an_offset_that_was_there_voids_the_beginning(
    database: Database, noted: list[Checkpoint]
) -> None:
    assert await begin_after(database, *noted) != BEGIN


async def test_clocks_of_replicas_that_differ_a_little_void_nothing(database: Database) -> None:
    assert await begin_after(database, (1, 1400), (3, 1450)) == BEGIN


async def test_what_a_failed_writing_would_have_told_is_told_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = Checkpoints(database, PublishedDocument)
    await places.put({PARTITION: (2, 1000)}, {PARTITION: BEGIN})
    places.note(PARTITION, (0, 2000))

    async def away(*_: object, **__: object) -> None:
        raise AutoReconnect("away")

    with monkeypatch.context() as patched:
        patched.setattr(places, "_write", away)
        with pytest.raises(AutoReconnect):
            await places.keep(now=True)
    places.note(PARTITION, (7, 2100))
    await places.keep(now=True)
    found = (await places.find([PARTITION]))[PARTITION]
    assert (found["offset"], found["begin"]) == (7, BEFORE_ALL)


async def test_an_older_record_that_is_read_again_voids_nothing(database: Database) -> None:
    assert await begin_after(database, (1, 900), (2, 1000)) == BEGIN
