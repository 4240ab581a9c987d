"""Samples: failing ones keep their last value, delays of the event loop are seen."""

import asyncio
import time
from collections.abc import Mapping

import pytest

from chassis.observability import sampling
from chassis.process.tasks import cancel_and_wait
from tests.chassis.waiting import until


async def test_a_sample_that_fails_does_not_keep_others_from_being_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "SAMPLE_SECONDS", 0)
    taken: list[str] = []

    async def fails() -> None:
        taken.append("fails")
        raise ConnectionError

    async def succeeds() -> None:
        taken.append("succeeds")

    task = asyncio.create_task(sampling.sample([fails, succeeds]))
    await until(lambda: len(taken) >= 4)
    await cancel_and_wait([task])
    assert taken[:4] == ["fails", "succeeds", "fails", "succeeds"]


async def test_a_check_is_0_while_it_fails() -> None:
    wrong: dict[str, str] = {"kafka": "away"}

    async def problems() -> Mapping[str, str]:
        return wrong

    sampler = sampling.checks_of(problems, {"kafka": None, "mongodb": None})
    await sampler()
    values = [sampling.CHECKS.labels(name)._value.get() for name in ("kafka", "mongodb")]
    assert values == [0, 1]
    wrong.clear()
    await sampler()
    assert sampling.CHECKS.labels("kafka")._value.get() == 1


async def test_what_holds_up_the_event_loop_is_shown_for_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "TICK_SECONDS", 0.01)
    watch = asyncio.create_task(sampling.watch_event_loop())
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - it holds up the loop
    await until(lambda: sampling.LOOP_LAG._value.get() >= 0.25)
    shown = sampling.LOOP_LAG._value.get()
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert sampling.LOOP_LAG._value.get() >= shown
    await cancel_and_wait([watch])
