"""Verifying: what a replay makes of the topics is compared with a snapshot of the database."""

from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.kafka.topic_reader import Offsets
from chassis.recovery.digest import Comparison, compare
from chassis.recovery.reconciliation import OnProgress
from chassis.recovery.replay import POSITIONS, Replay


async def verify(
    replay: Replay, consumed: Offsets, show: OnProgress = lambda *_: None
) -> list[Comparison]:
    """Replay, and compare with a snapshot of the live database, at equal versions.

    `consumed`: how far the service has read the topics of others. Raises Fork, Superseded,
    KafkaError, PyMongoError.
    """
    await replay.begin()
    begins, ends = await replay.bounds()
    # No further than the live database; the rest is read below, as far as the snapshot.
    until = {
        p: end if p.topic in replay.own else min(end, consumed.get(p, begins[p]))
        for p, end in ends.items()
    }
    await replay.read(until, show)
    # What follows ends at the snapshot: no run may resume from there.
    await replay.progress.close()
    async with replay.live.client.start_session(snapshot=True) as snapshot:
        # The snapshot is taken by its first read; the ends have to be those after it.
        await replay.live[replay.collections[0]].find_one({}, session=snapshot)
        _, ends = await replay.bounds()
        await replay.read(ends, versions=lambda streams: _live_versions(replay, streams, snapshot))
        await replay.read_unpublished(snapshot)
        return [
            await compare(name, replay.live[name], replay.shadow[name], snapshot)
            for name in replay.collections
        ]


async def _live_versions(
    replay: Replay, streams: set[str], snapshot: AsyncClientSession
) -> dict[str, int]:
    """Return the versions of the streams in the live collections."""
    versions: dict[str, int] = {}
    for aggregate in replay.store.aggregates:
        ids = [aggregate.id_of(s) for s in streams if s.startswith(f"{aggregate.name}-")]
        found = replay.live[aggregate.collection].find(
            {"_id": {"$in": ids}}, {"version": 1}, session=snapshot
        )
        versions |= {f"{aggregate.name}-{raw['_id']}": raw["version"] async for raw in found}
    if POSITIONS in replay.collections:
        at = replay.live[POSITIONS].find({"_id": {"$in": list(streams)}}, session=snapshot)
        versions |= {raw["_id"]: raw["version"] async for raw in at}
    return versions
