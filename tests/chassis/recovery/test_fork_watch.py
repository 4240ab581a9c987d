"""The watch for forks: what was written in a service's name is found, named, and stays known."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import Relay
from chassis.kafka.client import apply_topics
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo import client as mongo
from chassis.process import health
from chassis.process.settings import Settings
from chassis.process.tasks import cancel_and_wait
from chassis.recovery import fork_watch
from chassis.recovery.fork_watch import ForkWatch
from chassis.recovery.forks import Forks, StandingFork
from chassis.recovery.replay import Replay
from chassis.recovery.restore import Fork
from chassis.recovery.shadow import SWAP
from chassis.recovery.swap import swap
from chassis.service import Service
from chassis.start.exit_codes import StartError
from tests.chassis.raw_records import all_of, send
from tests.chassis.recovery.tally_owner import Owner
from tests.chassis.tally import STORE, TALLIES, change, opened
from tests.chassis.waiting import until
from tests.servers import Server


def watch_of(owner: Owner) -> ForkWatch:
    return ForkWatch("mailer", owner.database, owner.server.servers, owner.topics)


async def start(owner: Owner) -> ForkWatch:
    """Do what a service does at its start."""
    await owner.reconcile()
    watch = watch_of(owner)
    async with topic_reader(owner.server.servers, "test") as reader:
        await watch.start(reader)
    return watch


@contextlib.asynccontextmanager
async def running(watch: ForkWatch, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Compare again and again meanwhile."""
    monkeypatch.setattr(fork_watch, "COMPARE_SECONDS", 0.05)
    task = asyncio.create_task(watch.run())
    try:
        yield
    finally:
        await cancel_and_wait([task])


async def compared(owner: Owner) -> dict[int, int]:
    """Return up to which offset each partition is compared."""
    found = owner.database["compared"].find({"_id": {"$regex": "emails/"}})
    return {int(raw["_id"].rpartition("/")[2]): raw["offset"] async for raw in found}


async def until_all_is_compared(owner: Owner) -> None:
    async def all_is() -> bool:
        records = await all_of(owner.server.address, owner.topic)
        ends = dict.fromkeys(range(12), -1) | {r.partition: r.offset for r in records}
        return await compared(owner) == ends

    await until(all_is)


async def stored(owner: Owner) -> list[str]:
    """Return what the stored forks claim."""
    found = await Forks("mailer", owner.database, owner.topics).stored()
    return sorted(f"{raw['stream']}@{raw['version']}" for raw in found)


async def republish(owner: Owner, record: Any, **changes: Any) -> None:
    """Write a record into the topic again, with changes."""
    headers = dict(record.headers) | changes.pop("headers", {})
    value = changes.get("value", record.value)
    await send(owner.producer, owner.topic, record.key, list(headers.items()), value)


async def test_what_replicas_publish_and_repeat_is_no_fork(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, other = uuid4(), uuid4()
    await owner.publish(of, opened(of), opened(of))
    watch = await start(owner)
    async with running(watch, monkeypatch):
        await owner.publish(of, opened(of))
        # Another replica, on the same database, whose mark that it has published is lost.
        log = EventLog(owner.database)
        flushing = asyncio.create_task(log.run())
        relay = Relay(log, owner.producer, "mailer", owner.topics)
        await log.append([change(other, opened(other))])
        await relay.finish()
        await cancel_and_wait([flushing])
        await owner.database["commits"].update_many({}, {"$set": {"published": False}})
        for record in await all_of(owner.server.address, owner.topic):
            await republish(owner, record)
        await until_all_is_compared(owner)
        assert await watch.check() is None
    assert await stored(owner) == []


async def test_what_readers_quarantine_is_no_fork(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    [record] = await all_of(owner.server.address, owner.topic)
    watch = await start(owner)
    async with running(watch, monkeypatch):
        await owner.forge(opened(of), 2, "anybody")
        next_version = {"ce_streamversion": b"2", "ce_id": str(uuid4()).encode()}
        await republish(owner, record, headers=next_version, value=b"{not json")
        await republish(owner, record, headers={"ce_type": b"realtoros.ClientDeleted.v1"})
        await send(owner.producer, owner.topic, b"key", [], b"\xff")
        await until_all_is_compared(owner)
        assert await watch.check() is None
    assert await stored(owner) == []


async def test_every_way_to_write_in_a_service_s_name_is_found(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, new = uuid4(), uuid4()
    await owner.publish(of, opened(of), opened(of))
    [first, _] = await all_of(owner.server.address, owner.topic)
    failures = REGISTRY.get_sample_value("realtoros_failures_total", {"problem": "fork"}) or 0
    watch = await start(owner)
    async with running(watch, monkeypatch):
        next_one = await owner.forge(opened(of), 3)
        await owner.forge(opened(of), 2)
        await owner.forge(opened(of), 9, cause=False)
        await owner.forge(opened(new), 1)
        # Another content under the id of an event that is in the log.
        await republish(owner, first, value=opened(of).to_json().encode())

        async def all_found() -> bool:
            return len(await stored(owner)) == 5 and await watch.check() is not None

        await until(all_found)
        reason = await watch.check()
        assert reason
        place = f"{owner.topic}/{next_one.partition} has at offset {next_one.offset}"
        assert reason.startswith(f"{place} email-{of}@3 as ")
    assert await stored(owner) == sorted(
        [*(f"email-{of}@{version}" for version in (1, 2, 3, 9)), f"email-{new}@1"]
    )
    # Each is reported once, however often it is looked for.
    counted = REGISTRY.get_sample_value("realtoros_failures_total", {"problem": "fork"})
    assert counted == failures + 5


async def test_an_idle_service_reads_no_records(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    watch = await start(owner)
    read: list[Any] = []
    find = Forks.find

    async def counted(self: Forks, records: Any) -> list[Any]:
        read.extend(records)
        return await find(self, records)

    monkeypatch.setattr(Forks, "find", counted)
    async with running(watch, monkeypatch):
        await owner.publish(of, opened(of))
        await until_all_is_compared(owner)
        await owner.publish(of, opened(of))
        await until_all_is_compared(owner)
    assert len(read) == 2


async def test_a_fork_that_the_service_has_overtaken_is_found_at_the_next_start(
    owner: Owner,
) -> None:
    """Nobody looked while the service ran, and what it published last is its own."""
    of = uuid4()
    await owner.publish(of, opened(of))
    await start(owner)
    await owner.forge(opened(of), 2)
    await owner.publish(of, opened(of))
    with pytest.raises(StandingFork, match=f"email-{of}@2"):
        await start(owner)
    with pytest.raises(StandingFork, match=f"email-{of}@2"):
        await start(owner)


async def test_what_comes_first_into_an_empty_topic_is_compared(owner: Owner) -> None:
    await start(owner)
    of = uuid4()
    await owner.forge(opened(of), 1)
    await owner.publish(of, opened(of))
    with pytest.raises(Fork, match=f"email-{of}@1"):
        await start(owner)


async def found_while_running(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Have the next version of a stream forged, and found; return the aggregate's id."""
    of = uuid4()
    await owner.publish(of, opened(of))
    watch = await start(owner)
    async with running(watch, monkeypatch):
        await owner.forge(opened(of), 2)

        async def found() -> bool:
            return await watch.check() is not None

        await until(found)
    return of


async def test_a_next_version_that_was_found_is_not_taken_for_a_lost_one(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await found_while_running(owner, monkeypatch)
    with pytest.raises(StandingFork, match=f"email-{of}@2"):
        await owner.reconcile()
    with pytest.raises(StandingFork, match=f"email-{of}@2"):
        await owner.reconcile(full=True)
    assert (await owner.log.load(TALLIES, [of]))[of].version == 1


async def test_a_person_decides_that_the_topic_is_right(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await found_while_running(owner, monkeypatch)
    async with topic_reader(owner.server.servers, "test") as reader:
        replay = Replay("mailer", STORE, owner.database, reader, owner.topics, purpose=SWAP)
        await swap(replay)
    await start(owner)
    assert (await owner.log.load(TALLIES, [of]))[of].version == 2
    assert await stored(owner) == []


async def test_a_person_decides_that_the_log_is_right(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = await found_while_running(owner, monkeypatch)
    await owner.lose_topic()
    await start(owner)
    assert (await owner.log.load(TALLIES, [of]))[of].version == 1
    assert await stored(owner) == []
    assert [record.value for record in await all_of(owner.server.address, owner.topic)]


async def test_a_running_service_is_not_ready_when_somebody_writes_in_its_name(
    kafka: Server, mongodb: Server, topics: str, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fork_watch, "COMPARE_SECONDS", 0.05)
    settings = Settings(
        kafka_bootstrap_servers=kafka.address,
        kafka_topic_prefix=topics,
        mongodb_uri=SecretStr(mongodb.address),
        kafka_empty_fetch_hold_ms=50 if kafka.embedded else 0,
    )
    await apply_topics(kafka.servers, topics)
    await mongo.apply_indexes(mongodb.address, mongo.database_name("mailer"), STORE.documents)
    service = Service("mailer", settings, STORE)
    of = uuid4()
    async with service.running():
        assert "forks" not in await service.health.problems()
        await owner.forge(opened(of), 1)

        async def red() -> bool:
            return "forks" in await service.health.problems()

        await until(red)
        assert f"email-{of}@1" in (await service.health.problems())["forks"]
        assert (await health.answer(service.health, "/health/live"))[0] == 200
        assert (await health.answer(service.health, "/health/ready"))[0] == 503
    again = Service("mailer", settings, STORE)
    with pytest.raises(StartError, match=f"StandingFork: .*email-{of}@1"):
        async with again.running():
            pass
