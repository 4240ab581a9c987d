"""`realtoros replay` and `republish` as an operator meets them, on real servers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.kafka import client as chassis_kafka
from chassis.kafka.topic_reader import topic_reader
from chassis.mongo import client as mongo
from chassis.recovery.digest import Comparison, Difference
from chassis.recovery.replay import Replay
from chassis.recovery.shadow import SWAP
from contracts.crm import ClientDetails, CreateClient, NewClientDetails, UpdateClient
from ops.errors import OperatorError
from ops.servers.stores import apply_indexes, store_of
from ops.topics.rebuild import Rebuild, report, run
from tests.chassis.raw_records import put
from tests.chassis.waiting import until
from tests.ops.cli.test_cli import only_line, realtoros
from tests.ops.topics.crm_topics import AGENT, NAME, SECONDS, Crm, digests, ended, updated
from tests.servers import Server
from tests.system import system

# Several batches of a replay.
MANY = 8000
COLLECTIONS = {"agents", "clients", "commits", "sequences"}


@pytest.fixture
async def bare(kafka: Server, mongodb: Server, prefix: str, tmp_path: Path) -> AsyncIterator[Crm]:
    """crm's empty topics, and a database in which there is not even an index."""
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    async with mongo.connect(mongodb.address) as client:
        yield Crm(kafka, mongodb, prefix, client["realtoros_crm"], tmp_path)


@pytest.fixture
async def crm(bare: Crm) -> Crm:
    """crm without data."""
    await apply_indexes(bare.mongodb.address)
    return bare


async def live(crm: Crm) -> list[UUID]:
    """Let the service itself add clients and change them; give their ids."""
    ids = [uuid4() for _ in range(3)]
    async with (
        system(crm.folder, crm.kafka, crm.mongodb, prefix=crm.prefix, services=("crm",)),
        chassis_kafka.producer(crm.kafka.servers, "test") as producer,
    ):
        for number, of in enumerate(ids):
            details = NewClientDetails(name=NAME, email=f"harrow{number}@mail.example")
            for command in (
                CreateClient(agent_id=AGENT, client_id=of, personal=details),
                UpdateClient(agent_id=AGENT, client_id=of, stage="negotiating"),
            ):
                await put(producer, f"{crm.prefix}clients.commands", command)

        async def told() -> bool:
            return [len(events) for events in (await crm.published()).values()] == [2, 2, 2]

        await until(told)
    return ids


async def test_what_the_service_holds_is_verified_and_stays_as_it_is(crm: Crm) -> None:
    await live(crm)
    before = await crm.published()
    lines = await crm.do("replay", "crm", "--verify")
    assert digests(lines).keys() == COLLECTIONS
    assert all(line.endswith("  equal") for line in lines)
    assert await crm.built() == {}
    replayed = await crm.run("replay", "crm")
    assert digests(replayed.out.splitlines()) == {
        name: line.removesuffix("  equal") for name, line in digests(lines).items()
    }
    # How fast it was is no part of the answer.
    [built] = replayed.err.splitlines()
    assert " built " in built
    assert "records=6 " in built
    assert await crm.do("replay", "crm", "--swap") == ["swapped in"]
    assert await crm.built() == {}
    assert await crm.do("replay", "crm", "--verify") == lines
    assert await crm.published() == before


async def test_what_was_changed_by_hand_is_found_and_no_personal_text_is_shown(crm: Crm) -> None:
    changed, deleted, _ = await live(crm)
    clients = crm.database["clients"]
    by_hand = {"state.personal.name": "Handwritten", "state.stage": "lost"}
    await clients.update_one({"_id": changed}, {"$set": by_hand})
    await clients.delete_one({"_id": deleted})
    code, out, err = await crm.run("replay", "crm", "--verify")
    assert code == 1
    assert out.splitlines().count("clients  DIFFERENT") == out.count("DIFFERENT") == 1
    of_changed = out.partition(f"  {changed}\n")[2].splitlines()
    assert of_changed[:2] == [
        "    state.personal.name: a text live, a text in the replay",
        "    state.stage: lost live, negotiating in the replay",
    ]
    assert f"  {deleted}\n    is only in the replay\n" in out
    for text in ("Handwritten", NAME, "mail.example"):
        assert text not in out + err
    assert await crm.do("replay", "crm", "--swap") == ["swapped in"]
    await crm.do("replay", "crm", "--verify")


async def test_until_shows_what_there_was_at_that_time(crm: Crm) -> None:
    [of] = await crm.fill(1)
    clients = crm.database["replay.clients"]
    shown, told = [], []
    for time in ("11:59", "12:30", "13:00"):
        lines = await crm.do("replay", "crm", "--until", f"2026-01-31T{time}:00Z")
        told.append(digests(lines)["clients"])
        found = await clients.find_one({"_id": of})
        shown.append(found and (found["version"], found["state"]["stage"]))
    assert shown == [None, (1, "lead"), (2, "negotiating")]
    none, at_first, at_last = told
    assert none.startswith("0 documents")
    assert at_first.startswith("1 documents")
    assert at_first != at_last
    assert digests(await crm.do("replay", "crm"))["clients"] == at_last
    assert await crm.database["clients"].find_one() is None


async def kill_amid_replay(crm: Crm) -> None:
    """Start a replay, and kill it when it has written some of it down."""
    killed = await crm.start("replay", "crm")

    async def begun() -> bool:
        return await crm.progress() > 0

    await until(begun)
    killed.kill()
    await killed.wait()


async def test_a_replay_that_was_killed_goes_on_where_it_was(crm: Crm) -> None:
    await crm.fill(MANY // 2)
    await kill_amid_replay(crm)
    reached, built = await crm.progress(), await crm.built()
    assert 0 < reached < MANY
    resumed = await crm.do("replay", "crm")
    assert await crm.built() == built
    assert await crm.progress() == MANY
    whole = await crm.do("replay", "crm")
    assert (await crm.built()).items().isdisjoint(built.items())
    assert resumed == whole
    assert digests(whole)["clients"].startswith(f"{MANY // 2} documents")


async def test_what_was_read_of_a_topic_that_was_begun_anew_since_is_of_no_use(crm: Crm) -> None:
    await crm.fill(MANY // 2)
    await kill_amid_replay(crm)
    await crm.lose_topics()
    await crm.fill(20)
    assert digests(await crm.do("replay", "crm"))["clients"].startswith("20 documents")


async def test_a_service_may_publish_while_it_is_replayed(crm: Crm) -> None:
    [of] = await crm.fill(1)
    await crm.do("replay", "crm", "--swap")
    commits = crm.database["commits"]
    [first, *_] = await commits.find({"stream": f"client-{of}"}).to_list()
    # Version 3 was published after the topics were read, 4 was not yet.
    not_yet = {"_id": f"client-{of}@4", "first": 4, "last": 4, "cause": uuid4()}
    await commits.insert_one(first | not_yet | {"published": False})
    lines = await crm.do("replay", "crm")
    assert digests(lines)["clients"].startswith("1 documents")


@pytest.mark.parametrize(("purpose", "is_held"), [(SWAP, True), ("look", False)])
async def test_a_swap_that_another_replay_has_taken_over_leaves_that_one_s_hold(
    crm: Crm, purpose: str, is_held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crm.fill(2)

    async def taken_over(replay: Replay) -> None:
        async with topic_reader(crm.kafka.servers, "test") as reader:
            store = store_of("crm")
            other = Replay("crm", store, crm.database, reader, crm.prefix, purpose=purpose)
            await other.begin()
        await replay.progress.save()

    monkeypatch.setattr("chassis.recovery.swap._catch_up", taken_over)
    rebuild = Rebuild("crm", crm.kafka.servers, crm.prefix, crm.mongodb.address)
    with pytest.raises(OperatorError, match="another replay"):
        await rebuild.swap(lambda *_: None)
    options = await crm.database["commits"].options()
    assert bool(options.get("validator")) == is_held


async def test_missing_states_are_reported_instead_of_retried_for_ever(crm: Crm) -> None:
    [of] = await crm.fill(1)
    await crm.do("replay", "crm", "--swap")
    await crm.database["clients"].delete_many({})
    code, _, err = await crm.run("republish", "crm")
    assert code == 1
    assert f"client-{of}" in err
    assert "replay --swap" in err
    await crm.do("replay", "crm", "--swap")
    assert await crm.do("republish", "crm") == ["0 commits published again"]


def test_a_replay_that_is_stopped_cleans_up() -> None:
    tidied = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(SECONDS)
        finally:
            tidied.append(True)

    with pytest.raises(KeyboardInterrupt):
        run(work())
    assert tidied == [True]


def test_what_agents_call_their_fields_is_not_shown() -> None:
    live = {"_id": 1, "custom_fields": {"divorce status": "pending", "budget": 420000}, "n": 1}
    fresh: dict[str, Any] = {"_id": 1, "custom_fields": {}, "n": 2}
    found = Comparison("clients", (1, "a"), (1, "b"), [Difference(live, fresh)])
    assert list(report([found]))[-2:] == [
        "    custom_fields: some fields live, some fields in the replay",
        "    n: 1 live, 2 in the replay",
    ]


async def test_a_last_step_that_was_given_up_is_not_gone_on_with(crm: Crm) -> None:
    await crm.fill(20)
    await crm.do("replay", "crm", "--swap")
    await crm.do("replay", "crm")
    # As if the note of the last step had got through, and its answer had not: no hold is left.
    noted = {"swapping": True, "purpose": "swap"}
    await crm.database["replay.progress"].update_one({}, {"$set": noted})
    await crm.fill(5)
    await crm.do("republish", "crm")
    await crm.do("replay", "crm", "--swap")
    assert await crm.database["clients"].count_documents({}) == 25


async def test_of_two_replays_at_once_the_later_one_goes_on(crm: Crm) -> None:
    await crm.fill(MANY // 2)
    first = await crm.start("replay", "crm")

    async def begun() -> bool:
        return await crm.progress() > 0

    await until(begun)
    later = Rebuild("crm", crm.kafka.servers, crm.prefix, crm.mongodb.address)
    lines = await later.replay(None, lambda *_: None)
    assert digests(lines)["clients"].startswith(f"{MANY // 2} documents")
    code, out, err = await ended(first)
    assert (code, out) == (1, "")
    assert err == "realtoros: another replay of the same service has begun\n"


async def test_a_lost_topic_is_filled_again_with_the_same_events_and_once(crm: Crm) -> None:
    await live(crm)
    before = await crm.published()
    await crm.lose_topics()
    first = await crm.do("republish", "crm")
    assert first[-1] == "6 commits published again"
    assert await crm.published() == before
    assert await crm.do("republish", "crm") == ["0 commits published again"]
    assert await crm.published() == before
    await crm.do("replay", "crm", "--verify")
    # What is logged on the way is no part of the answer.
    assert first[:-1] == []


async def test_a_fork_keeps_the_service_from_starting_and_is_named(crm: Crm) -> None:
    [of] = await crm.fill(1)
    await crm.do("replay", "crm", "--swap")
    details = ClientDetails(name=NAME, email="fork@mail.example")
    async with chassis_kafka.producer(crm.kafka.servers, "test") as producer:
        await crm.tell(producer, 2, updated(of, details, "lost"))
        await producer.flush()
    started = await crm.run("run", "crm")
    assert started.code != 0
    assert f"client-{of}@2" in started.out + started.err
    code, out, err = await crm.run("republish", "crm")
    assert (code, out) == (1, "")
    [told] = [line for line in err.splitlines() if line.startswith("realtoros: ")]
    assert f"client-{of}@2" in told
    assert NAME not in out + err + started.out + started.err


async def test_a_swap_works_where_there_is_no_database_yet(bare: Crm) -> None:
    [of] = await bare.fill(1)
    assert await bare.do("replay", "crm", "--swap") == ["swapped in"]
    assert await bare.database["clients"].find_one({"_id": of})
    await bare.do("replay", "crm", "--verify")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["replay", "crm", "--verify", "--swap"],
            "--verify, --swap and --until exclude each other",
        ),
        (
            ["replay", "crm", "--swap", "--until", "2h"],
            "--verify, --swap and --until exclude each other",
        ),
        (["replay", "crm", "--until", "yesterday"], "yesterday is not a time"),
        (["republish", "gateway"], "gateway publishes no events"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    nowhere = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "MONGODB_URI": "mongodb://127.0.0.1:1"}
    done = realtoros(tmp_path, *arguments, **nowhere)
    assert message in only_line(done)
    assert done.stdout == ""
