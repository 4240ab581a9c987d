"""Attempts beyond a limit are refused without asking the database each time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.mongo.client import Database, connect
from services.gateway.accounts import rate_limits
from services.gateway.accounts.rate_limits import AttemptLimiter
from services.gateway.errors import TooManyRequests
from tests.servers import Server

LIMIT = 3
# So long that no window ends during a test.
WINDOW = timedelta(days=36_500)


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database for one test."""
    async with connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        yield database
        await client.drop_database(database.name)


async def test_what_is_refused_again_is_not_counted_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "_FULL_SECONDS", 3600)
    limiter = AttemptLimiter(database, WINDOW)
    for _ in range(LIMIT):
        await limiter.count("address", "here", LIMIT)
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            await limiter.count("address", "here", LIMIT)
    await limiter.count("address", "elsewhere", LIMIT)
    counted = [row["tries"] async for row in database["attempts"].find()]
    assert sorted(counted) == [1, LIMIT + 1]


async def test_what_another_replica_takes_back_is_noticed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "_FULL_SECONDS", 0)
    limiter, replica = AttemptLimiter(database, WINDOW), AttemptLimiter(database, WINDOW)
    with pytest.raises(TooManyRequests):
        await limiter.count("account", "ana", 0)
    await replica.reset("account", "ana")
    await limiter.count("account", "ana", 1)
