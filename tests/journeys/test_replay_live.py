"""State is rebuilt while follow-ups go on, unnoticed by readers, clients and providers."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from contracts.services import SERVICES, Service
from tests.journeys.conftest import Providers
from tests.journeys.disaster_system import DisasterSystem, disaster_system
from tests.journeys.replay_command import Phase, collections, kill_swap, run_replay
from tests.journeys.topic_damage import end_offsets
from tests.servers import Server

pytestmark = pytest.mark.journey

PHASES: tuple[Phase, ...] = ("building", "holding", "swapping")
SWAPPED: tuple[Service, ...] = ("crm", "mailer", "gateway")
LIVE = ("commits", "positions", "clients", "tasks", "plans", "drafts", "emails")


@pytest.mark.long
async def test_all_is_swapped_while_followups_go_on_and_no_reader_notices(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "0.3"}
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers, **day) as system:
        await system.add(10)
        async with reading(system), adding(system):
            await system.until_accepted(30)
            for service in SERVICES:
                before, mailed = await collections(system, service), len(system.mails())
                await run_replay(system, service, "--swap")
                after = await collections(system, service)
                for name in set(LIVE) & before.keys():
                    assert after[name]["info"]["uuid"] != before[name]["info"]["uuid"]
                assert_cleared(after)
                assert len(system.mails()) > mailed
        await system.assert_consistent()


async def test_no_replay_of_a_system_at_rest_calls_a_provider_or_publishes(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "0.1"}
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers, **day) as system:
        await system.add(8)
        await system.assert_consistent()
        ledgers = (providers.openai.ledger_file, providers.sendgrid.ledger_file)
        written = [ledger.read_bytes() for ledger in ledgers]
        published = await end_offsets(kafka, prefix)
        assert published.total() > 0
        await system.assert_replay_equal()
        for rebuilding in system.rebuildings().values():
            assert await rebuilding.replay(None, silent)
            await rebuilding.swap(silent)
        # Longer than the relay's sweep waits before it publishes what looks unpublished.
        await asyncio.sleep(6)
        assert await end_offsets(kafka, prefix) == published
        assert [ledger.read_bytes() for ledger in ledgers] == written
        await system.running.stop(*SERVICES)
        await system.running.start(*SERVICES)
        await system.assert_consistent()
        assert [ledger.read_bytes() for ledger in ledgers] == written
        for service in SERVICES:
            assert system.log_entries(service, "reconciled") == []


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_swap_that_is_killed_repeatedly_is_finished_by_the_next(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    draw = random.Random(seed)
    day = {"FOLLOWUP_DAY_SECONDS": "0.5"}
    killed_in: list[Phase] = []
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers, **day) as system:
        await system.add(10)
        async with reading(system), adding(system):
            # With aggregates, with both, with views.
            for service in SWAPPED:
                killed_in += [
                    await kill_swap(system, service, wanted, draw.uniform(0, 0.02))
                    for wanted in draw.sample(PHASES, k=len(PHASES))
                ]
                await run_replay(system, service, "--swap")
                assert_cleared(await collections(system, service))
        await system.assert_consistent()
    print(killed_in)  # noqa: T201
    assert killed_in.count("none") < len(killed_in) / 2


def assert_cleared(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Assert that a swap has left no collection of its own and no write lock."""
    assert not [name for name in found if name.startswith("replay.")]
    assert not [name for name, raw in found.items() if raw["options"]]


def silent(done: int, total: int) -> None:
    """Show no progress."""


@contextlib.asynccontextmanager
async def reading(system: DisasterSystem) -> AsyncIterator[None]:
    """Read lists meanwhile: always answered, with totals that never shrink."""
    over = asyncio.Event()
    totals = dict.fromkeys(("clients", "tasks", "tasks?status=sent", "emails?status=sent"), 0)
    reads = 0

    async def read() -> None:
        nonlocal reads
        while not over.is_set():
            for what, before in totals.items():
                response = await system.agent.http.get(f"/api/{what}")
                assert response.status_code == 200, response.text
                total = int(response.headers["X-Total-Count"])
                assert total >= before, f"{before} {what}, then {total}"
                assert len(response.json()) >= min(total, 20)
                totals[what] = total
                reads += 1
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        yield
        over.set()
    assert reads > 100
    assert min(totals.values()) > 0


@contextlib.asynccontextmanager
async def adding(system: DisasterSystem) -> AsyncIterator[None]:
    """Add four clients a second meanwhile."""
    over = asyncio.Event()

    async def add() -> None:
        while not over.is_set():
            await system.add(1)
            await asyncio.sleep(0.25)

    async with asyncio.TaskGroup() as group:
        group.create_task(add())
        yield
        over.set()
