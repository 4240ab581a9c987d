"""Pacing: turns are apart by what is in them."""

import asyncio

import pytest

from chassis.process.pacing import MANY, Pace

SECONDS = 0.08


@pytest.mark.parametrize(
    ("things", "seconds"), [(0, SECONDS / MANY), (2, 2 * SECONDS / MANY), (100, SECONDS)]
)
async def test_a_turn_waits_for_what_was_in_the_last(things: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(SECONDS)
    began = loop.time()
    await pace.turn()
    pace.took(things)
    await pace.turn()
    assert loop.time() >= began + seconds


async def test_what_is_told_while_a_turn_waits_makes_it_wait_longer() -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(SECONDS)
    began = loop.time()
    await pace.turn()
    turn = asyncio.create_task(pace.turn())
    await asyncio.sleep(0)
    pace.took(MANY)
    await turn
    assert loop.time() >= began + SECONDS


async def test_the_first_turn_after_a_rest_does_not_wait() -> None:
    pace = Pace(60)
    await asyncio.wait_for(pace.turn(), 10)
