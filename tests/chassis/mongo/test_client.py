"""The client: a server that is away is reported, also when a caller is cancelled."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from pymongo.errors import PyMongoError

from chassis.mongo.client import Database, connect, ping
from ops.servers.ports import LOOPBACK, free_port

_ROUNDS, _ASKING = 4, 150
# How often the driver looks for a server, which is when giving up is dangerous.
_LOOK = 0.5
_SECONDS = 25


async def test_a_client_outlives_those_who_give_up_on_a_server_that_is_away() -> None:
    draw = random.Random(7)

    async def give_up(database: Database) -> None:
        try:
            async with asyncio.timeout(_LOOK * draw.randint(1, 4) + draw.uniform(-0.002, 0.02)):
                await ping(database)
        except (TimeoutError, PyMongoError):
            return
        raise AssertionError("a server answered")

    async with connect(f"mongodb://{LOOPBACK}:{free_port()}/?directConnection=true") as client:
        # A client that hangs does not even hear that it is cancelled.
        rounds = asyncio.create_task(_rounds(give_up, client["realtoros_test"]))
        assert (await asyncio.wait([rounds], timeout=_SECONDS))[0], "the client hangs"
        await rounds


async def _rounds(give_up: Callable[[Database], Awaitable[None]], database: Database) -> None:
    for _ in range(_ROUNDS):
        await asyncio.gather(*(give_up(database) for _ in range(_ASKING)))
