"""Recorded histories: the topics of every release become what they became when it was released."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition

from contracts.services import SERVICES
from ops.servers.stores import apply_indexes
from ops.topics.archive import MANIFEST
from ops.topics.rebuild import Rebuild
from ops.topics.restore import import_
from tests.chassis.raw_records import all_of
from tests.journeys.agent_user import agent_at, until
from tests.journeys.conftest import Providers
from tests.ops.topics import recording
from tests.ops.topics.recording import (
    DIGESTS,
    HISTORIES,
    NAMES,
    caught_up,
    different,
    digests,
    ends,
    no_bar,
)
from tests.ops.topics.release_story import SETTINGS
from tests.providers.running import provider
from tests.servers import Server
from tests.system import system

RELEASES = sorted(path.name for path in HISTORIES.iterdir())


@pytest.fixture(params=RELEASES)
def history(request: pytest.FixtureRequest) -> Path:
    """The folder of a release's recording."""
    return HISTORIES / str(request.param)


@pytest.fixture
async def imported(history: Path, kafka: Server, mongodb: Server, prefix: str) -> Path:
    """The recording, standing in the topics; no database knows of it yet."""
    await import_(kafka.servers, prefix, history, no_bar)
    return history


@pytest.fixture
async def providers(tmp_path: Path) -> AsyncIterator[Providers]:
    """Providers of this test's own: whatever they accept was sent here."""
    async with provider("openai", tmp_path) as openai, provider("sendgrid", tmp_path) as sendgrid:
        yield Providers(openai, sendgrid)


def recorded(history: Path) -> Any:
    return json.loads((history / DIGESTS).read_text())


async def keys_after(kafka: Server, prefix: str, before: dict[TopicPartition, int]) -> set[str]:
    """Return the keys of the records that were added to the event topics since."""
    return {
        one.key.decode()
        for name in NAMES
        for one in await all_of(kafka.address, prefix + name)
        if one.offset >= before[TopicPartition(one.topic, one.partition)]
    }


def test_a_release_has_a_history_and_only_one(history: Path) -> None:
    assert (history / MANIFEST).exists()
    assert recorded(history).keys() == set(SERVICES)


async def test_what_is_recorded_is_never_written_over() -> None:
    with pytest.raises(SystemExit, match=f"{RELEASES[0]} is there already"):
        await recording.main(RELEASES[0])
    with pytest.raises(SystemExit, match="is no release"):
        await recording.main("../0.1.0")


@pytest.mark.journey
async def test_a_recorded_history_replays_to_the_recorded_digests(
    imported: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    before = await ends(kafka, prefix)
    found = await digests(kafka, mongodb, prefix)
    # A collection that a later release has begun to keep has no digest in an earlier one.
    for service, collections in recorded(imported).items():
        assert {name: found[service].get(name) for name in collections} == collections, service
    assert await ends(kafka, prefix) == before


@pytest.mark.journey
@pytest.mark.timeout(240)
@pytest.mark.parametrize("by", ["replay", pytest.param("starting", marks=pytest.mark.long)])
async def test_services_that_start_on_a_restored_history_go_on_and_do_nothing_twice(
    imported: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    tmp_path: Path,
    by: str,
) -> None:
    if by == "replay":
        await apply_indexes(mongodb.address)
        for service in SERVICES:
            await Rebuild(service, kafka.servers, prefix, mongodb.address).swap(no_bar)
        assert await different(kafka, mongodb, prefix) == []
    before = await ends(kafka, prefix)
    environment = providers.settings | SETTINGS
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        await until(lambda: caught_up(kafka, prefix), "all services have read all there is")
        assert await ends(kafka, prefix) == before
        # Due work goes by its dates: whatever was due of old would be sent before this.
        client = await agent.add("Newcomer")
        await agent.task(client, "sent")
        response = await agent.http.patch(f"/api/clients/{client}", json={"stage": "lost"})
        assert response.is_success
        await until(lambda: caught_up(kafka, prefix), "all services have read that, too")
        assert running.errors() == []
    assert [entry["custom_args"]["client_id"] for entry in providers.sendgrid.ledger()] == [client]
    assert len(providers.openai.ledger()) == 1
    assert await keys_after(kafka, prefix, before) == {client}
    assert await different(kafka, mongodb, prefix) == []
