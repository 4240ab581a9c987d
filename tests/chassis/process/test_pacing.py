"""Pacing: the more items a turn has, the later comes the next."""

import asyncio

import pytest

from chassis.process.pacing import FULL_TURN, Pace

SECONDS = 0.08


@pytest.mark.parametrize(
    ("items", "seconds"), [(0, SECONDS / FULL_TURN), (2, 2 * SECONDS / FULL_TURN), (100, SECONDS)]
)
async def test_a_turn_waits_for_what_was_in_the_last(items: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(SECONDS)
    began = loop.time()
    await pace.turn()
    pace.took(items)
    await pace.turn()
    assert loop.time() >= began + seconds


async def test_items_counted_while_a_turn_waits_make_it_wait_longer() -> None:
    loop = asyncio.get_running_loop()
    pace = Pace(SECONDS)
    began = loop.time()
    await pace.turn()
    turn = asyncio.create_task(pace.turn())
    await asyncio.sleep(0)
    pace.took(FULL_TURN)
    await turn
    assert loop.time() >= began + SECONDS


async def test_the_first_turn_after_a_rest_does_not_wait() -> None:
    pace = Pace(60)
    await asyncio.wait_for(pace.turn(), 10)
