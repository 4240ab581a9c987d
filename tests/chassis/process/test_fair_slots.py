"""Slots that one caller cannot take from the others."""

import asyncio

from chassis.process.fair_slots import FairSlots


async def test_a_caller_holds_only_its_share_and_others_do_not_wait_for_it() -> None:
    slots, held, release = FairSlots(3, 2), list[str](), asyncio.Event()

    async def work(caller: str) -> None:
        async with slots.slot(caller):
            held.append(caller)
            await release.wait()

    greedy = [asyncio.create_task(work("greedy")) for _ in range(900)]
    await asyncio.sleep(0)
    other = asyncio.create_task(work("other"))
    late = asyncio.create_task(work("late"))
    while len(held) < 3:
        await asyncio.sleep(0)
    assert held == ["greedy", "greedy", "other"]
    release.set()
    await asyncio.gather(*greedy, other, late)
    assert len(held) == 902
    assert slots._callers == {}


async def test_who_stops_waiting_leaves_nothing_behind() -> None:
    slots = FairSlots(1, 1)
    async with slots.slot("a"):
        waiting = [asyncio.create_task(slots.slot(name).__aenter__()) for name in ("a", "b")]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert slots._callers == {}
    async with slots.slot("b"):
        pass
