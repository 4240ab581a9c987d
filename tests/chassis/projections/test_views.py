"""Views: each version of a foreign stream is applied exactly once, also by several replicas."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Database
from chassis.projections.views import Views
from contracts import cloudevents
from contracts.cloudevents import EventEnvelope
from contracts.crm import ClientDeleted
from contracts.message import Event
from tests.chassis.tally import AGENT, SEEN, SeenDocument, now, opened


def at(version: int, event: Event) -> tuple[EventEnvelope, Any]:
    envelope = cloudevents.about(
        event,
        id=uuid4(),
        source="crm",
        time=datetime.now(UTC),
        correlation=uuid4(),
        version=version,
    )
    return envelope, event


def deletion(client: UUID) -> ClientDeleted:
    return ClientDeleted(agent_id=AGENT, client_id=client, deleted_at=now())


def views_on(database: Database) -> Views:
    return Views(database, [SEEN])


async def seen(database: Database, client: UUID) -> int:
    found = await BatchLoader(database, "seen", SeenDocument).get(client)
    return found.events if found else 0


async def test_a_batch_is_applied_and_its_positions_move(database: Database) -> None:
    views, one, other = views_on(database), uuid4(), uuid4()
    batch = [at(1, deletion(one)), at(1, deletion(other)), at(2, deletion(one))]
    assert await views.apply(batch) == []
    assert (await seen(database, one), await seen(database, other)) == (2, 1)
    assert await views.versions([f"client-{one}"]) == {f"client-{one}": 2}
    unknown = f"client-{uuid4()}"
    assert await views.versions([unknown]) == {unknown: 0}


async def test_a_version_that_was_applied_is_a_repeat_and_changes_nothing(
    database: Database,
) -> None:
    views, client = views_on(database), uuid4()
    batch = [at(n, deletion(client)) for n in (1, 2, 2, 1, 3)]
    assert await views.apply(batch) == []
    assert await views.apply(batch) == []
    assert await seen(database, client) == 3
    assert await views.versions([f"client-{client}"]) == {f"client-{client}": 3}


async def test_a_gap_is_found_and_what_follows_it_waits(database: Database) -> None:
    views, client, other = views_on(database), uuid4(), uuid4()
    batch = [
        at(1, deletion(client)),
        at(3, deletion(client)),
        at(1, deletion(other)),
        at(4, deletion(client)),
    ]
    assert await views.apply(batch) == [1, 3]
    assert (await seen(database, client), await seen(database, other)) == (1, 1)
    assert await views.apply([at(2, deletion(client)), *batch]) == []
    assert await seen(database, client) == 4


async def test_a_version_without_interest_moves_the_position_only(database: Database) -> None:
    views, client = views_on(database), uuid4()
    envelope, _ = at(1, deletion(client))
    assert await views.apply([(envelope, None), at(2, deletion(client))]) == []
    assert await seen(database, client) == 1
    assert await views.versions([f"client-{client}"]) == {f"client-{client}": 2}


async def test_writers_on_one_document_do_not_lose_each_other_s_events(
    database: Database,
) -> None:
    client = UUID(int=2)
    applied: list[str] = []

    async def writer(stream: UUID) -> None:
        views = views_on(database)
        views.listeners.append(applied.extend)
        for version in (1, 2, 3):
            assert await views.apply([at(version, opened(stream))]) == []

    streams = [uuid4() for _ in range(6)]
    await asyncio.gather(*(writer(stream) for stream in streams))
    assert await seen(database, client) == 18
    assert sorted(applied) == sorted(f"email-{stream}" for stream in streams for _ in range(3))


async def test_two_replicas_with_the_same_events_apply_each_once(database: Database) -> None:
    client = uuid4()
    batch = [at(version, deletion(client)) for version in range(1, 11)]
    gaps = await asyncio.gather(*(views_on(database).apply(batch) for _ in range(4)))
    assert gaps == [[]] * 4
    assert await seen(database, client) == 10


async def test_a_view_that_fails_leaves_all_of_the_batch_unapplied(database: Database) -> None:
    views, good, bad = views_on(database), uuid4(), uuid4()
    foreign = deletion(bad).model_copy(update={"agent_id": uuid4()})
    outcome = await asyncio.gather(
        views.apply([at(1, deletion(good)), at(1, foreign)]), return_exceptions=True
    )
    assert isinstance(outcome[0], ZeroDivisionError)
    assert await views.versions([f"client-{good}"]) == {f"client-{good}": 0}
    assert await seen(database, good) == 0


async def test_lookups_of_one_moment_each_get_their_own_answer(database: Database) -> None:
    views, ids = views_on(database), [uuid4() for _ in range(5)]
    await views.apply([at(1, deletion(of)) for of in ids[:4]])
    lookup = BatchLoader(database, "seen", SeenDocument)
    found = await asyncio.gather(*(lookup.get(of) for of in [*ids, *ids]))
    assert [document.id if document else None for document in found] == [*ids[:4], None] * 2
