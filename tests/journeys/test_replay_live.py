"""State is built anew while follow-ups go on: no reader, no client and no provider notices."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ops.services import SERVICES, Service
from tests.journeys.conftest import Providers
from tests.journeys.disaster_system import Site, site
from tests.journeys.replay_command import Phase, collections, killed, replayed
from tests.journeys.topic_damage import ends
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
    async with site(tmp_path, kafka, mongodb, prefix, providers, **day) as here:
        await here.add(10)
        async with reading(here), adding(here):
            await here.until_mailed(30)
            for service in SERVICES:
                before, mailed = await collections(here, service), len(here.mails())
                await replayed(here, service, "--swap")
                after = await collections(here, service)
                for name in set(LIVE) & before.keys():
                    assert after[name]["info"]["uuid"] != before[name]["info"]["uuid"]
                assert_cleared(after)
                assert len(here.mails()) > mailed
        await here.assert_whole()


async def test_no_replay_of_a_system_at_rest_calls_a_provider_or_publishes(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "0.1"}
    async with site(tmp_path, kafka, mongodb, prefix, providers, **day) as here:
        await here.add(8)
        await here.assert_whole()
        ledgers = (providers.openai.ledger_file, providers.sendgrid.ledger_file)
        written = [ledger.read_bytes() for ledger in ledgers]
        published = await ends(kafka, prefix)
        assert published.total() > 0
        await here.assert_equal()
        for rebuilding in here.rebuildings().values():
            assert await rebuilding.replay(None, silent)
            await rebuilding.swap(silent)
        # Longer than a sweep of the relay's waits for what looks unpublished.
        await asyncio.sleep(6)
        assert await ends(kafka, prefix) == published
        assert [ledger.read_bytes() for ledger in ledgers] == written
        await here.running.stop(*SERVICES)
        await here.running.start(*SERVICES)
        await here.assert_whole()
        assert [ledger.read_bytes() for ledger in ledgers] == written
        for service in SERVICES:
            assert here.told(service, "reconciled") == []


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_swap_that_is_killed_again_and_again_is_finished_by_the_next(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # noqa: T201
    draw = random.Random(seed)
    day = {"FOLLOWUP_DAY_SECONDS": "0.5"}
    killed_in: list[Phase] = []
    async with site(tmp_path, kafka, mongodb, prefix, providers, **day) as here:
        await here.add(10)
        async with reading(here), adding(here):
            # With aggregates, with both, with views.
            for service in SWAPPED:
                killed_in += [
                    await killed(here, service, wanted, draw.uniform(0, 0.02))
                    for wanted in draw.sample(PHASES, k=len(PHASES))
                ]
                await replayed(here, service, "--swap")
                assert_cleared(await collections(here, service))
        await here.assert_whole()
    print(killed_in)  # noqa: T201
    assert killed_in.count("none") < len(killed_in) / 2


def assert_cleared(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Assert that a swap has left no collection of its own, and holds nobody off any more."""
    assert not [name for name in found if name.startswith("replay.")]
    assert not [name for name, raw in found.items() if raw["options"]]


def silent(done: int, total: int) -> None:
    """Show nothing."""


@contextlib.asynccontextmanager
async def reading(here: Site) -> AsyncIterator[None]:
    """Read lists meanwhile: always answered, and never with less than before."""
    over = asyncio.Event()
    totals = dict.fromkeys(("clients", "tasks", "tasks?status=sent", "emails?status=sent"), 0)
    reads = 0

    async def read() -> None:
        nonlocal reads
        while not over.is_set():
            for what, before in totals.items():
                response = await here.agent.http.get(f"/api/{what}")
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
async def adding(here: Site) -> AsyncIterator[None]:
    """Add four clients a second meanwhile."""
    over = asyncio.Event()

    async def add() -> None:
        while not over.is_set():
            await here.add(1)
            await asyncio.sleep(0.25)

    async with asyncio.TaskGroup() as group:
        group.create_task(add())
        yield
        over.set()
