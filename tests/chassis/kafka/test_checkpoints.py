"""Checkpoints: that a topic was created again under a running service is not forgotten."""

import pytest
from aiokafka import TopicPartition
from pymongo.errors import AutoReconnect

from chassis.kafka.checkpoints import VOID_BEGIN, Checkpoint, Checkpoints, PublishedDocument
from chassis.mongo.client import Database

PARTITION = TopicPartition("emails", 3)
BEGIN = 0


async def begin_after(database: Database, *advanced: Checkpoint) -> int:
    """Return the stored `begin` once the checkpoint went from (2, 1000) through these."""
    checkpoints = Checkpoints(database, PublishedDocument)
    await checkpoints.put({PARTITION: (2, 1000)}, {PARTITION: BEGIN})
    for checkpoint in advanced:
        checkpoints.advance(PARTITION, checkpoint)
    await checkpoints.flush(now=True)
    found = (await checkpoints.find([PARTITION]))[PARTITION]
    assert (found["offset"], found["time"]) == advanced[-1]
    begin: int = found["begin"]
    return begin


async def test_later_records_leave_the_beginning_as_it_is(database: Database) -> None:
    assert await begin_after(database, (2, 1000), (3, 1000), (4, 1500)) == BEGIN


@pytest.mark.parametrize(
    "advanced",
    [
        [(0, 2000)],
        [(2, 2000)],
        # All between two flushes: further in the end than the topic before was.
        [(number, 2000) for number in range(6)],
        [(3, 1500), (9, 1800), (5, 2400)],
    ],
)
async def test_a_later_record_at_an_offset_that_was_there_voids_the_beginning(
    database: Database, advanced: list[Checkpoint]
) -> None:
    assert await begin_after(database, *advanced) != BEGIN


async def test_clocks_of_replicas_that_differ_a_little_void_nothing(database: Database) -> None:
    assert await begin_after(database, (1, 1400), (3, 1450)) == BEGIN


async def test_what_a_failed_flush_would_have_stored_is_stored_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = Checkpoints(database, PublishedDocument)
    await checkpoints.put({PARTITION: (2, 1000)}, {PARTITION: BEGIN})
    checkpoints.advance(PARTITION, (0, 2000))

    async def away(*_: object, **__: object) -> None:
        raise AutoReconnect("away")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "_write", away)
        with pytest.raises(AutoReconnect):
            await checkpoints.flush(now=True)
    checkpoints.advance(PARTITION, (7, 2100))
    await checkpoints.flush(now=True)
    found = (await checkpoints.find([PARTITION]))[PARTITION]
    assert (found["offset"], found["begin"]) == (7, VOID_BEGIN)


async def test_an_older_record_that_is_read_again_voids_nothing(database: Database) -> None:
    assert await begin_after(database, (1, 900), (2, 1000)) == BEGIN
