"""Reconciliation: what either of log and topic has lost is restored from the other."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Raw
from chassis.recovery.reconciliation import MissingEvents, ReconciliationResult
from chassis.recovery.restore import Fork
from tests.chassis.raw_records import all_of, send, versions
from tests.chassis.recovery.tally_owner import COLLECTIONS, Owner
from tests.chassis.tally import labelled, opened

IN_STEP = ReconciliationResult(0, 0)


def without_positions(copy: dict[str, list[Raw]]) -> Any:
    """Return commits and states without their positions in Kafka."""
    kept = {name: copy[name] for name in ("commits", "tallies")}
    return {
        name: sorted(
            ({k: v for k, v in raw.items() if k != "published"} for raw in raws),
            key=lambda raw: str(raw["_id"]),
        )
        for name, raws in kept.items()
    }


async def test_log_and_topic_that_agree_are_left_alone(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    before = await owner.backup()
    assert await owner.reconcile() == IN_STEP
    assert await owner.backup() == before
    assert await versions(owner.server.address, owner.topic) == {f"email-{of}": [1]}


async def test_a_database_put_back_to_an_older_copy_restores_what_it_lacks(owner: Owner) -> None:
    known, new = uuid4(), uuid4()
    await owner.publish(known, opened(known))
    copy = await owner.backup()
    await owner.publish(known, opened(known), opened(known))
    await owner.publish(new, labelled(new, "new"), opened(new))
    await owner.publish(new, opened(new))
    expected, records = await owner.backup(), await all_of(owner.server.address, owner.topic)
    await owner.restore(copy)
    assert await owner.reconcile() == ReconciliationResult(restored=3, to_publish=0)
    assert without_positions(await owner.backup()) == without_positions(expected)
    assert len(await all_of(owner.server.address, owner.topic)) == len(records)
    assert await owner.reconcile() == IN_STEP


async def test_an_empty_database_restores_all_whichever_stream_had_a_unique_value_first(
    owner: Owner,
) -> None:
    for number in range(6):
        # In either order of their partitions, one of the pair is read too early.
        for first, second in ((UUID(int=number), UUID(int=99)), (UUID(int=99), UUID(int=number))):
            one, other = uuid4(), uuid4()
            label = labelled(one, f"{number}").model_copy(update={"client_id": first})
            gone = labelled(one, f"of {one}").model_copy(update={"client_id": first})
            taken = labelled(other, f"{number}").model_copy(update={"client_id": second})
            freed = labelled(other, f"of {other}").model_copy(update={"client_id": second})
            for of, event in ((one, label), (one, gone), (other, taken), (other, freed)):
                await owner.publish(of, event)
    expected = await owner.backup()
    await owner.restore({name: [] for name in COLLECTIONS})
    await owner.reconcile()
    assert without_positions(await owner.backup()) == without_positions(expected)


async def test_a_topic_that_was_lost_is_filled_again_in_order(owner: Owner) -> None:
    ids = [uuid4() for _ in range(3)]
    for of in ids * 2:
        await owner.publish(of, opened(of), opened(of))
    await owner.lose_topic()
    assert await owner.reconcile() == ReconciliationResult(restored=0, to_publish=6)
    assert await versions(owner.server.address, owner.topic) == {
        f"email-{of}": [1, 2, 3, 4] for of in ids
    }
    assert await owner.reconcile() == IN_STEP


async def test_a_lost_topic_and_then_an_older_copy_of_the_database(owner: Owner) -> None:
    known, new = uuid4(), uuid4()
    await owner.publish(known, opened(known))
    await owner.publish(known, opened(known))
    copy = await owner.backup()
    await owner.publish(known, opened(known))
    await owner.publish(new, opened(new))
    expected = await owner.backup()
    await owner.lose_topic()
    await owner.reconcile()
    await owner.restore(copy)
    assert (await owner.reconcile()).restored == 2
    assert without_positions(await owner.backup()) == without_positions(expected)
    assert await owner.reconcile() == IN_STEP


async def test_what_only_a_full_comparison_finds_is_published_again(owner: Owner) -> None:
    of = uuid4()
    for _ in range(3):
        await owner.publish(of, opened(of))
    await owner.lose_topic()
    # What follows makes the topic look as if it went on.
    await owner.publish(of, opened(of))
    await owner.reconcile(full=True)
    found = (await versions(owner.server.address, owner.topic))[f"email-{of}"]
    assert found[-4:] == [1, 2, 3, 4]


async def test_another_event_of_the_same_version_is_a_fork(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    await owner.forge(opened(of), 1)
    with pytest.raises(Fork, match=f"email-{of}@1"):
        await owner.reconcile()


async def test_a_version_whose_predecessor_is_nowhere_is_missed(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    await owner.forge(opened(of), 3)
    with pytest.raises(MissingEvents, match=f"email-{of}@3"):
        await owner.reconcile()


async def test_what_another_writer_put_into_the_topic_is_skipped(owner: Owner) -> None:
    of = uuid4()
    await owner.publish(of, opened(of))
    before = await owner.backup()
    await owner.forge(opened(of), 2, "other")
    await send(owner.producer, owner.topic, b"key", [], b"no event")
    assert await owner.reconcile() == IN_STEP
    assert without_positions(await owner.backup()) == without_positions(before)
