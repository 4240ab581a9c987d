"""Change streams: insertions in order, from any resume token on, through swaps."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.mongo.change_stream import (
    Inserted,
    InsertStream,
    Replaced,
    ResumeTokenLost,
    is_resume_token,
    watch_inserts,
)
from chassis.mongo.client import Database, connect, in_transaction
from tests.servers import Server


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database with a collection to watch."""
    async with connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await database.create_collection("lines")
        yield database
        await client.drop_database(database.name)


async def write(database: Database, owner: str, *numbers: int) -> None:
    await database["lines"].insert_many({"owner": owner, "number": n} for n in numbers)


async def read(inserts: InsertStream) -> list[Inserted | Replaced]:
    """Read until nothing comes any more."""
    found = []
    while change := await inserts.next():
        found.append(change)
    return found


def numbers(changes: list[Inserted | Replaced]) -> list[int]:
    """Return what was inserted; 0 for a replacement."""
    return [each.document["number"] if isinstance(each, Inserted) else 0 for each in changes]


async def written_in_one_transaction(database: Database) -> None:
    async def work(session: AsyncClientSession) -> None:
        for owner, number in (("a", 3), ("b", 4), ("b", 5), ("a", 6)):
            line = {"owner": owner, "number": number}
            await database["lines"].insert_one(line, session=session)
            await database["others"].insert_one({}, session=session)

    await in_transaction(database, work)


async def test_resume_tokens_sort_as_insertions_follow_each_other(database: Database) -> None:
    async with watch_inserts(database, "lines") as inserts:
        start = inserts.position
        await write(database, "a", 1, 2)
        await written_in_one_transaction(database)
        await database["lines"].update_many({}, {"$set": {"changed": True}})
        found = await read(inserts)
        assert numbers(found) == [1, 2, 3, 4, 5, 6]
        tokens = [start, *(each.token for each in found), inserts.position]
        assert tokens == sorted(set(tokens))
        assert all(map(is_resume_token, tokens))


async def test_a_stream_resumes_from_any_position_also_one_that_is_filtered_out(
    database: Database,
) -> None:
    async with watch_inserts(database, "lines") as inserts:
        start = inserts.position
        await write(database, "a", 1)
        await write(database, "b", 2)
        await written_in_one_transaction(database)
        found = await read(inserts)
        end = inserts.position
    tokens = [each.token for each in found]
    positions = dict(zip(numbers(found), tokens, strict=True)) | {0: start, 7: end}
    for number, position in positions.items():
        async with watch_inserts(database, "lines", position, owner="a") as inserts:
            assert numbers(await read(inserts)) == [n for n in (1, 3, 6) if n > number]
            assert inserts.position >= end


async def test_a_rename_to_the_collection_does_not_end_the_stream_and_is_reported(
    database: Database,
) -> None:
    async with watch_inserts(database, "lines") as inserts:
        await write(database, "a", 1)
        await database["shadow"].insert_many({"number": n} for n in range(5))
        await database["shadow"].rename("lines", dropTarget=True)
        await write(database, "a", 2)
        found = await read(inserts)
        assert numbers(found) == [1, 0, 2]
    for number in (0, 1, 2):
        async with watch_inserts(database, "lines", found[number].token, owner="a") as inserts:
            assert numbers(await read(inserts)) == [1, 0, 2][number + 1 :]


@pytest.mark.parametrize("token", ["", "nonsense", "12AB", "8200", "F" * 40, "A" * 5000])
async def test_what_is_no_resume_token_is_lost(database: Database, token: str) -> None:
    with pytest.raises(ResumeTokenLost):
        async with watch_inserts(database, "lines", token):
            pass


async def test_with_the_database_all_resume_tokens_are_lost(database: Database) -> None:
    async with watch_inserts(database, "lines") as inserts:
        await database.client.drop_database(database.name)
        with pytest.raises(ResumeTokenLost):
            await read(inserts)
