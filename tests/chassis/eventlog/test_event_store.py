"""The log: commits and states together or not at all, however many come at once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.eventlog.event_store import FLUSH_COMMITS, Clash, EventLog
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from tests.chassis.tally import TALLIES, change, labelled, opened, wanting
from tests.chassis.tally import now as just_now


async def commits(database: Database, of: UUID) -> list[Any]:
    found = database["commits"].find({"stream": f"email-{of}"}).sort("first", 1)
    return await found.to_list()


async def test_an_append_stores_the_commit_and_the_state_that_it_leads_to(
    log: EventLog, database: Database
) -> None:
    of, at = uuid4(), just_now()
    first = change(of, opened(of), wanting(of, at), opened(of))
    assert await log.append([first]) == [None]
    [commit] = await commits(database, of)
    assert (commit["first"], commit["last"], commit["published"]) == (1, 3, False)
    assert (commit["cause"], commit["key"]) == (first.commit.cause, first.commit.key)
    assert [event["data"] for event in commit["events"]] == [e.json for e in first.commit.events]
    stored = (await log.load(TALLIES, [of]))[of]
    assert (stored.version, stored.state.opened, stored.state.due_at) == (3, 2, at)
    assert stored.due_set_by == commit["events"][1]["id"]
    assert await log.append([change(of, opened(of), stored=stored)]) == [None]
    stored = (await log.load(TALLIES, [of]))[of]
    assert (stored.version, stored.state.opened) == (4, 3)
    assert stored.due_set_by == commit["events"][1]["id"]


async def test_who_comes_second_clashes_on_the_version_and_changes_nothing(
    log: EventLog, database: Database
) -> None:
    of = uuid4()
    assert await log.append([change(of, opened(of))]) == [None]
    [clash] = await log.append([change(of, opened(of), opened(of))])
    assert isinstance(clash, Clash)
    assert clash.on_log
    assert len(await commits(database, of)) == 1
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1


async def test_the_same_cause_is_taken_once_for_a_stream_and_known_afterwards(
    log: EventLog, database: Database
) -> None:
    of, other, cause = uuid4(), uuid4(), uuid4()
    assert await log.append([change(of, opened(of), opened(of), cause=cause)]) == [None]
    stored = (await log.load(TALLIES, [of]))[of]
    [clash] = await log.append([change(of, opened(of), stored=stored, cause=cause)])
    assert isinstance(clash, Clash)
    assert clash.index == "by_cause"
    assert clash.on_log
    assert await log.append([change(other, opened(other), cause=cause)]) == [None]
    asked = [(cause, f"email-{of}"), (uuid4(), f"email-{of}"), (cause, f"email-{uuid4()}")]
    assert await log.known(asked) == {(cause, f"email-{of}"): 2}
    assert len(await commits(database, of)) == 1


async def test_a_unique_index_on_the_state_refuses_the_commit_too(
    log: EventLog, database: Database
) -> None:
    first, second = uuid4(), uuid4()
    assert await log.append([change(first, labelled(first, "red"))]) == [None]
    [clash] = await log.append([change(second, labelled(second, "red"))])
    assert isinstance(clash, Clash)
    assert clash.index == "unique_label"
    assert not clash.on_log
    assert await commits(database, second) == []
    assert await log.load(TALLIES, [second]) == {}


async def test_when_one_of_a_batch_clashes_the_others_are_stored(log: EventLog) -> None:
    taken, *free = [uuid4() for _ in range(5)]
    assert await log.append([change(taken, opened(taken))]) == [None]
    batch = [change(of, opened(of)) for of in (free[0], taken, *free[1:])]
    errors = await log.append(batch)
    assert [type(error) for error in errors] == [type(None), Clash, *[type(None)] * 3]
    assert len(await log.load(TALLIES, [taken, *free])) == 5


async def test_two_who_want_the_same_label_in_one_batch_do_not_both_get_it(log: EventLog) -> None:
    ids = [uuid4() for _ in range(3)]
    errors = await log.append([change(of, labelled(of, "blue")) for of in ids])
    assert [error is None for error in errors] == [True, False, False]
    assert list(await log.load(TALLIES, ids)) == ids[:1]


async def grouped(database: Database, batches: list[list[UUID]]) -> list[int]:
    """Append the batches at the same moment; give the sizes of the transactions."""
    log = EventLog(database)
    sizes: list[int] = []
    log.listeners.append(lambda changes: sizes.append(len(changes)))
    appends = [
        asyncio.create_task(log.append([change(of, opened(of)) for of in batch]))
        for batch in batches
    ]
    await asyncio.sleep(0)
    running = asyncio.create_task(log.run())
    for append in appends:
        assert not any(await append)
    await cancel_and_wait([running])
    return sizes


async def test_appends_that_come_in_together_are_one_transaction(database: Database) -> None:
    assert await grouped(database, [[uuid4()] for _ in range(50)]) == [50]


async def test_a_transaction_takes_so_many_commits_and_no_more(database: Database) -> None:
    sizes = await grouped(database, [[uuid4() for _ in range(150)] for _ in range(3)])
    assert sizes == [FLUSH_COMMITS, FLUSH_COMMITS, 450 - 2 * FLUSH_COMMITS]


async def test_two_commits_of_one_stream_are_never_in_one_transaction(database: Database) -> None:
    of = uuid4()
    log = EventLog(database)
    sizes: list[int] = []
    log.listeners.append(lambda changes: sizes.append(len(changes)))
    first = change(of, opened(of))
    second = change(of, opened(of), stored=first.document)
    append = asyncio.create_task(log.append([first, second]))
    running = asyncio.create_task(log.run())
    assert await append == [None, None]
    await cancel_and_wait([running])
    assert sizes == [1, 1]
    assert [c["first"] for c in await commits(database, of)] == [1, 2]


async def test_listeners_hear_only_of_what_is_stored(log: EventLog) -> None:
    heard: list[UUID] = []
    log.listeners.append(lambda changes: heard.extend(c.document.id for c in changes))
    of, other = uuid4(), uuid4()
    await log.append([change(of, opened(of))])
    await log.append([change(of, opened(of)), change(other, opened(other))])
    assert heard == [of, other]


async def test_an_event_of_another_stream_is_never_committed_to_this_one() -> None:
    with pytest.raises(ValueError, match="decided for"):
        change(uuid4(), opened(uuid4()))
