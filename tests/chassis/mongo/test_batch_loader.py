"""Documents by id: what is asked for at the same moment is one query, what is recent none."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.mongo.batch_loader import BatchLoader, RecentLoader
from chassis.mongo.client import Database, UuidDocument, connect, declare
from tests.servers import Server


class Thing(UuidDocument):
    """A document with a word."""

    word: str

    class Settings:
        name = "things"


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    async with connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await declare(database, [Thing])
        yield database
        await client.drop_database(database.name)


async def test_what_is_asked_at_the_same_moment_is_answered_together(database: Database) -> None:
    ids = [uuid4() for _ in range(3)]
    await database["things"].insert_many([{"_id": id_, "word": str(id_)} for id_ in ids])
    loader = BatchLoader(database, "things", Thing)
    found = await asyncio.gather(*map(loader.get, [*ids, ids[0], uuid4()]))
    assert [one and one.word for one in found] == [*map(str, ids), str(ids[0]), None]


async def test_a_recent_document_is_read_again_only_when_it_is_too_old(database: Database) -> None:
    id_ = uuid4()
    old, new = (
        RecentLoader(database, "things", Thing, 3600),
        RecentLoader(database, "things", Thing, 0),
    )
    assert await old.get(id_) is await new.get(id_) is None
    await database["things"].insert_one({"_id": id_, "word": "here"})
    assert await old.get(id_) is None
    found = await new.get(id_)
    assert found
    assert found.word == "here"
    assert await old.get(uuid4()) is None
