"""Journals: every event is written once, also by several replicas."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from pymongo.errors import PyMongoError

from chassis.mongo.client import Database, Raw, UuidDocument, is_transient
from chassis.projections.journal import DuplicateEntry, Journal
from chassis.projections.views import Views
from chassis.recovery.swap import REFUSE_ALL
from contracts import cloudevents
from contracts.cloudevents import EventEnvelope
from contracts.mailer import EmailOpened, SendStarted
from contracts.message import Event
from tests.chassis.tally import SEEN, now, opened, wanting


class LineDocument(UuidDocument):
    """One line."""

    class Settings:
        name = "lines"


def line(envelope: EventEnvelope, event: EmailOpened | SendStarted) -> Raw | None:
    """Leave out SendStarted."""
    if isinstance(event, SendStarted):
        return None
    return {"_id": envelope.id, "version": envelope.version}


LINES = Journal(LineDocument, line, (EmailOpened, SendStarted))


def at(version: int, event: Event, id_: UUID | None = None) -> tuple[EventEnvelope, Event]:
    envelope = cloudevents.about(
        event,
        id=id_ or uuid4(),
        source="mailer",
        time=datetime.now(UTC),
        correlation=uuid4(),
        version=version,
    )
    return envelope, event


def views_on(database: Database) -> Views:
    return Views(database, [SEEN], [LINES])


async def lines(database: Database) -> list[tuple[UUID, int]]:
    found = database["lines"].find().sort("version")
    return [(raw["_id"], raw["version"]) async for raw in found]


async def test_what_replicas_apply_at_once_stands_in_the_journal_once(database: Database) -> None:
    email = uuid4()
    batch = [at(version, opened(email)) for version in range(1, 11)]
    gaps = await asyncio.gather(*(views_on(database).apply(batch) for _ in range(4)))
    assert gaps == [[]] * 4
    assert await lines(database) == [(envelope.id, envelope.version) for envelope, _ in batch]


async def test_an_event_that_comes_too_early_or_again_is_not_written(database: Database) -> None:
    views, email = views_on(database), uuid4()
    first, second, third = (at(version, opened(email)) for version in (1, 2, 3))
    assert await views.apply([first, third]) == [1]
    assert await views.apply([first, second, second, third]) == []
    assert await lines(database) == [(e.id, e.version) for e, _ in (first, second, third)]


async def test_an_entry_may_be_left_out(database: Database) -> None:
    views, email = views_on(database), uuid4()
    batch = [at(1, wanting(email, now())), at(2, opened(email))]
    assert await views.apply(batch) == []
    assert await lines(database) == [(batch[1][0].id, 2)]


async def test_an_event_with_the_id_of_another_leaves_all_of_the_batch_unapplied(
    database: Database,
) -> None:
    """Else it would be tried for ever: it is a bug of its writer, and goes into quarantine."""
    views, email, other = views_on(database), uuid4(), uuid4()
    first = at(1, opened(email))
    assert await views.apply([first]) == []
    with pytest.raises(DuplicateEntry):
        await views.apply([at(2, opened(email)), at(1, opened(other), first[0].id)])
    assert await lines(database) == [(first[0].id, 1)]
    streams = [f"email-{email}", f"email-{other}"]
    assert list((await views.versions(streams)).values()) == [1, 0]


async def test_what_a_swap_cut_off_has_put_in_place_is_no_repetition(database: Database) -> None:
    views, email = views_on(database), uuid4()
    first, second = at(1, opened(email)), at(2, opened(email))
    assert await views.apply([first]) == []
    # The journal is the replay's already, the positions are the old ones, and writers held off.
    await database["lines"].insert_one({"_id": second[0].id, "version": 2})
    held = {"applied_at": REFUSE_ALL}
    await database.command("collMod", "positions", validator=held, validationLevel="strict")
    with pytest.raises(PyMongoError) as refused:
        await views.apply([second])
    assert is_transient(refused.value)
