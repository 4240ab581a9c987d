"""Swapping in what a replay has built, while the service runs or is stopped.

Readers see the old collection or the new one, never neither: a rename that drops its target is
atomic. Writers are held off by validators, since only the server reaches every replica: each of
their transactions writes a commit or a position, is refused, and is retried as when the store is
away.
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

# How long writers are held off at most if this process dies. Clocks may differ by half of it.
HOLD_DURATION = timedelta(minutes=10)
REFUSE_ALL = {"$exists": False}
MAX_ROUNDS = 20

log = structlog.get_logger(__name__)


class NotCaughtUp(Exception):
    """The live database holds more than the topics, or catching up with it took too long."""


async def swap(replay: Replay, show: OnProgress = lambda *_: None) -> None:
    """Replay, hold off the writers, catch up, and replace the live collections.

    Interrupted at any line, it is finished by another run; the live collections stay complete.
    Raises NotCaughtUp, Fork, MissingEvents, Superseded, KafkaError, PyMongoError; then nothing is
    swapped.
    """
    known = await replay.begin()
    if known.get("swapping") and not await _is_held(replay):
        # The last step was given up after all, and the live collections have changed since.
        await replay.drop()
        known = await replay.begin()
    if not known.get("swapping"):
        _, ends = await replay.bounds()
        await replay.read(ends, show)
        until = datetime.now(UTC) + HOLD_DURATION
        try:
            await _hold_off_writers(replay, {"$gt": until})
            await _catch_up(replay)
            await replay.apply_indexes()
            if datetime.now(UTC) > until - HOLD_DURATION / 2:
                raise NotCaughtUp("catching up took too long: stop the service, and swap then")
            # From here on the swap has to be finished: the hold must not expire. If interrupted
            # between the two, it starts from scratch.
            await replay.progress.save(swapping=True)
            await _hold_off_writers(replay, REFUSE_ALL)
        except BaseException:
            if not await replay.progress.is_taken_over_by_swap():
                await _hold_off_writers(replay, None)
            raise
    for name in replay.collections:
        # An interrupted run may have renamed it.
        if await replay.is_built(name):
            await replay.shadow[name].rename(name, dropTarget=True)
    await _write_checkpoints(replay)
    await replay.drop()


async def _hold_off_writers(replay: Replay, allowed: Raw | None) -> None:
    """Let the server refuse commits and positions of other times than `allowed`; None: refuse none.

    The relay can still mark commits as published: it updates commits older than the hold.
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
    """Return whether all writes are refused by each guarding collection still to be renamed."""
    found = {info["name"]: info async for info in await replay.live.list_collections()}
    guards = [name for name in (COMMITS, POSITIONS) if SHADOW_PREFIX + name in found]
    return all(REFUSE_ALL in found[n]["options"].get("validator", {}).values() for n in guards)


async def _catch_up(replay: Replay) -> None:
    """Read all that is live. Raises NotCaughtUp when that is more than topics and log hold."""
    ahead: str | None = None
    for _ in range(MAX_ROUNDS):
        _, ends = await replay.bounds()
        await replay.read(ends)
        await replay.read_unpublished()
        ahead = await _find_ahead(replay)
        if ahead is None:
            replay.check_complete()
            return
    raise NotCaughtUp(
        f"the topics lack events that {replay.service} holds, for example of {ahead}:"
        f" run `realtoros republish {replay.service}` first"
    )


async def _find_ahead(replay: Replay) -> str | None:
    """Return the name of a live state or position with a higher version than the replayed one."""
    versioned = [aggregate.collection for aggregate in replay.store.aggregates]
    for name in [*versioned, *({POSITIONS} & set(replay.collections))]:
        batch: dict[Any, int] = {}
        async for raw in replay.live[name].find({}, {"version": 1}):
            batch[raw["_id"]] = raw["version"]
            if len(batch) == BATCH_DOCUMENTS:
                if found := await _find_ahead_in(replay, name, batch):
                    return found
                batch.clear()
        if found := await _find_ahead_in(replay, name, batch):
            return found
    return None


async def _find_ahead_in(replay: Replay, name: str, live: dict[Any, int]) -> str | None:
    replayed = replay.shadow[name].find({"_id": {"$in": list(live)}}, {"version": 1})
    versions = {raw["_id"]: raw["version"] async for raw in replayed}
    return next((f"{name} {id_}" for id_, v in live.items() if v > versions.get(id_, 0)), None)


async def _write_checkpoints(replay: Replay) -> None:
    """Write what the log now holds of its topics, so that the next start need not read them."""
    begins, _ = await replay.bounds()
    checkpoints = {
        partition: (offset - 1, time)
        for partition, (offset, time) in replay.reached.items()
        if partition.topic in replay.own and offset
    }
    await Checkpoints(replay.live, PublishedDocument).put(checkpoints, begins)
