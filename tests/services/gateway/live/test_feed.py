"""The feed within one process: when connections end, and what becomes of them without MongoDB."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo.errors import AutoReconnect

from chassis.mongo.client import Database, connect
from services.gateway.accounts.caller import Caller
from services.gateway.errors import TooManyRequests
from services.gateway.live import connection as live_module
from services.gateway.live import feed as feed_module
from services.gateway.live.connection import live
from services.gateway.live.feed import Feed
from services.gateway.live.listener import MAX_QUEUED, CloseCode, LiveMessage
from tests.chassis.waiting import until
from tests.servers import Server
from tests.services.gateway.cuttable_mongodb import wired

AGENT = uuid4()
CALLER = Caller(AGENT, "agent")


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database for one test."""
    async with connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await database.create_collection("timeline")
        yield database
        await client.drop_database(database.name)


async def always(caller: Caller) -> bool:
    return True


@contextlib.asynccontextmanager
async def running(database: Database) -> AsyncIterator[Feed]:
    feed = Feed(database)
    async with feed.running():
        await feed.admit(AGENT)
        yield feed


async def test_an_agent_has_only_so_many_connections(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_STREAMS", 2)
    async with running(database) as feed:
        with feed.listening(AGENT), feed.listening(AGENT):
            with pytest.raises(TooManyRequests):
                await feed.admit(AGENT)
            # Also those that were admitted at the same moment.
            with pytest.raises(TooManyRequests), feed.listening(AGENT):
                pass
            await feed.admit(uuid4())
        await feed.admit(AGENT)


async def write(database: Database, *numbers: int, agent_id: UUID = AGENT) -> None:
    await database["timeline"].insert_many(
        {
            "_id": uuid4(),
            "agent_id": agent_id,
            "client_id": UUID(int=1),
            "type": "EmailOpened",
            "at": datetime.now(UTC),
            "data": {"number": number},
        }
        for number in numbers
    )


async def rest(told: AsyncIterator[LiveMessage]) -> list[str]:
    """Read until it ends; give the kinds of what was told."""
    async with asyncio.timeout(30):
        return [message.kind async for message in told]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "HEARTBEAT_SECONDS", 0.05)


@pytest.mark.usefixtures("often")
async def test_heartbeats_bring_the_place_along_that_others_have_moved(database: Database) -> None:
    async with running(database) as feed:
        with feed.listening(AGENT) as listener:
            told = live(feed, CALLER, listener, None, always)
            first = await anext(told)
            await write(database, 1, agent_id=uuid4())
            await until(lambda: feed.position > first.id)
            beat = await anext(told)
            while beat.id == first.id:
                beat = await anext(told)
            assert (first.kind, beat.kind) == ("hello", "heartbeat")
            assert beat.id > first.id
        # What others were told is no event here: it can be gone on from.
        await write(database, 2)
        with feed.listening(AGENT) as listener:
            told = live(feed, CALLER, listener, beat.id, always)
            assert [(await anext(told)).kind, (await anext(told)).kind] == ["hello", "timeline"]


@pytest.mark.usefixtures("often")
async def test_a_connection_ends_when_its_caller_is_no_longer_valid(database: Database) -> None:
    answers = iter([True, None, True, False])

    async def is_valid(caller: Caller) -> bool:
        answer = next(answers)
        if answer is None:
            raise AutoReconnect
        return answer

    async with running(database) as feed:
        with feed.listening(AGENT) as listener:
            told = live(feed, CALLER, listener, None, is_valid)
            assert await rest(told) == ["hello", *["heartbeat"] * 3]
            assert listener.ended is CloseCode.NO_LONGER_VALID


async def test_a_connection_ends_with_its_credentials_however_much_happens(
    database: Database,
) -> None:
    soon = Caller(AGENT, "agent", expires_at=datetime.now(UTC) + timedelta(seconds=0.5))
    async with running(database) as feed:
        with feed.listening(AGENT) as listener:
            told = live(feed, soon, listener, None, always)
            while listener.ended is None:
                await write(database, 1)
                with contextlib.suppress(StopAsyncIteration):
                    async with asyncio.timeout(30):
                        await anext(told)
            assert listener.ended is CloseCode.NO_LONGER_VALID


async def test_a_connection_that_does_not_keep_up_ends_and_can_go_on(database: Database) -> None:
    async with running(database) as feed:
        with feed.listening(AGENT) as slow:
            told = live(feed, CALLER, slow, None, always)
            start = await anext(told)
            await write(database, *range(MAX_QUEUED + 1))
            await until(lambda: slow.ended is CloseCode.TOO_SLOW)
            assert await rest(told) == []
        with feed.listening(AGENT) as again:
            told = live(feed, CALLER, again, start.id, always)
            await anext(told)
            read = [await anext(told) for _ in range(MAX_QUEUED + 1)]
            assert [message.id for message in read] == sorted({m.id for m in read})


async def test_a_stop_ends_what_listens_and_what_comes_after_it(database: Database) -> None:
    async with running(database) as feed:
        with feed.listening(AGENT) as listener:
            told = live(feed, CALLER, listener, None, always)
            await anext(told)
            asyncio.get_running_loop().call_soon(feed.stop)
            assert await rest(told) == []
            assert listener.ended is CloseCode.STOPPED
        with feed.listening(AGENT) as late:
            assert late.ended is CloseCode.STOPPED


async def test_after_an_outage_of_mongodb_it_goes_on_where_it_was(
    mongodb_server: Server, database: Database
) -> None:
    async with (
        wired(mongodb_server) as (wire, server),
        connect(server.address) as client,
        running(client[database.name]) as feed,
    ):
        with feed.listening(AGENT) as listener:
            told = live(feed, CALLER, listener, None, always)
            await anext(told)
            await wire.cut()
            await write(database, 1, 2)
            await wire.connect()
            async with asyncio.timeout(30):
                read = [await anext(told) for _ in range(2)]
            assert [message.kind for message in read] == ["timeline"] * 2


async def test_when_history_is_lost_all_are_told_and_go_on_from_now(database: Database) -> None:
    async with running(database) as feed:
        with feed.listening(AGENT) as one, feed.listening(uuid4()) as other:
            streams: list[Callable[[], Any]] = [
                live(feed, CALLER, listener, None, always).__anext__ for listener in (one, other)
            ]
            assert [(await following()).kind for following in streams] == ["hello"] * 2
            await database.client.drop_database(database.name)
            resets = [await following() for following in streams]
            assert [reset.kind for reset in resets] == ["reset"] * 2
            await write(database, 1)
            following = await streams[0]()
            assert following.kind == "timeline"
            assert following.id > resets[0].id
