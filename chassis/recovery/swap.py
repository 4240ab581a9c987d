"""Swapping in what a replay has built, while the service runs or is stopped.

Readers see the old collection or the new one, never neither: a rename that drops its target is
atomic. Writers are held off by validators, since only the server reaches every replica: each
transaction of theirs writes a commit or a position, and is refused as a whole and tried again
later, as when the store is away.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from chassis.eventlog.event_store import CommitDocument
from chassis.kafka.checkpoints import Checkpoints, PublishedDocument
from chassis.mongo.client import Raw
from chassis.recovery.digest import BATCH_DOCUMENTS
from chassis.recovery.reconciliation import OnProgress
from chassis.recovery.replay import COMMITS, POSITIONS, Replay
from chassis.recovery.shadow import SHADOW_PREFIX

# A hold whose process was killed ends by itself. Clocks may differ by half of it.
HOLD = timedelta(minutes=10)
FOR_GOOD = {"$exists": False}
ROUNDS = 20

log = structlog.get_logger(__name__)


class NotCaughtUp(Exception):
    """What is live holds more than the topics tell, or went on for too long."""


async def swap(replay: Replay, show: OnProgress = lambda *_: None) -> None:
    """Build what is to be swapped in, hold the writers off, catch up, and put it in place.

    Cut off at any line, it is finished by being run again; what is live stays whole meanwhile.
    Raises NotCaughtUp, Fork, MissingEvents, Superseded, KafkaError, PyMongoError; then nothing is swapped.
    """
    known = await replay.begin()
    if known.get("swapping") and not await _is_held(replay):
        # That step was given up after all, and what is live has gone on since.
        await replay.drop()
        known = await replay.begin()
    if not known.get("swapping"):
        _, ends = await replay.bounds()
        await replay.read(ends, show)
        until = datetime.now(UTC) + HOLD
        try:
            await _hold(replay, {"$gt": until})
            await _catch_up(replay)
            await replay.apply_indexes()
            if datetime.now(UTC) > until - HOLD / 2:
                raise NotCaughtUp("catching up took too long: stop the service, and swap then")
            # From here on it has to be finished: no hold that ends by itself. Cut off between the
            # two, it is begun anew.
            await replay.progress.note(swapping=True)
            await _hold(replay, FOR_GOOD)
        except BaseException:
            if not await replay.progress.is_another_swap():
                await _hold(replay, None)
            raise
    for name in replay.collections:
        # Not there any more when an earlier run came so far.
        if await replay.is_built(name):
            await replay.fresh[name].rename(name, dropTarget=True)
    await _know_topics(replay)
    await replay.drop()


async def _hold(replay: Replay, allowed: Raw | None) -> None:
    """Let the server refuse commits and positions of other times than those `allowed`; None: any.

    Marks of what is published go on: they change commits, which are older than the hold.
    """
    for name, time, level in ((COMMITS, "at", "moderate"), (POSITIONS, "applied_at", "strict")):
        if name in replay.collections:
            if name not in await replay.live.list_collection_names():
                await replay.live.create_collection(name)
                if name == COMMITS:
                    await replay.live[name].create_indexes(CommitDocument.Settings.indexes)
            await replay.live.command(
                "collMod", name, validator={time: allowed} if allowed else {}, validationLevel=level
            )


async def _is_held(replay: Replay) -> bool:
    """Tell whether writers are held off for good wherever a guard is still to be renamed."""
    found = {info["name"]: info async for info in await replay.live.list_collections()}
    guards = [name for name in (COMMITS, POSITIONS) if SHADOW_PREFIX + name in found]
    return all(FOR_GOOD in found[n]["options"].get("validator", {}).values() for n in guards)


async def _catch_up(replay: Replay) -> None:
    """Take in all that is live. Raises NotCaughtUp when that is more than the topics and log tell."""
    behind: str | None = None
    for _ in range(ROUNDS):
        _, ends = await replay.bounds()
        await replay.read(ends)
        await replay.read_tail()
        behind = await _behind(replay)
        if behind is None:
            replay.check_whole()
            return
    raise NotCaughtUp(
        f"the topics do not tell all that {replay.service} holds, of {behind} for one:"
        f" run `realtoros republish {replay.service}` first"
    )


async def _behind(replay: Replay) -> str | None:
    """Name a state or position that is further than what was built."""
    versioned = [aggregate.collection for aggregate in replay.store.aggregates]
    for name in [*versioned, *({POSITIONS} & set(replay.collections))]:
        batch: dict[Any, int] = {}
        async for raw in replay.live[name].find({}, {"version": 1}):
            batch[raw["_id"]] = raw["version"]
            if len(batch) == BATCH_DOCUMENTS:
                if found := await _ahead(replay, name, batch):
                    return found
                batch.clear()
        if found := await _ahead(replay, name, batch):
            return found
    return None


async def _ahead(replay: Replay, name: str, live: dict[Any, int]) -> str | None:
    built = replay.fresh[name].find({"_id": {"$in": list(live)}}, {"version": 1})
    versions = {raw["_id"]: raw["version"] async for raw in built}
    return next((f"{name} {id_}" for id_, v in live.items() if v > versions.get(id_, 0)), None)


async def _know_topics(replay: Replay) -> None:
    """Remember what the log now holds of its topics, so that the next start need not read them."""
    own = {place: at for place, at in replay.reached.items() if place.topic in replay.own and at[0]}
    begins, _ = await replay.bounds()
    places = {place: (offset - 1, time) for place, (offset, time) in own.items()}
    await Checkpoints(replay.live, PublishedDocument).put(places, begins)
