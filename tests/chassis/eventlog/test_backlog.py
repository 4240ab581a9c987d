"""The backlog: the age of due work and of commits that are not published."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from chassis.eventlog.backlog import AGE, COMMITS, DUE, Backlog
from chassis.eventlog.event_store import EventLog
from chassis.mongo.client import Database
from tests.chassis.tally import TALLIES, change, opened

AGO = timedelta(minutes=10)


async def test_it_is_the_oldest_that_waits_and_0_when_nothing_does(
    log: EventLog, database: Database
) -> None:
    backlog = Backlog(database, [TALLIES])
    due, age = DUE.labels(TALLIES.name)._value, AGE._value
    await backlog.sample()
    assert (due.get(), age.get(), COMMITS._value.get()) == (0, 0, 0)
    first, second = uuid4(), uuid4()
    await log.append([change(first, opened(first)), change(second, opened(second))])
    past = datetime.now(UTC) - AGO
    await database["commits"].update_one({"stream": f"email-{first}"}, {"$set": {"at": past}})
    tallies = database[TALLIES.collection]
    await tallies.update_one({"_id": first}, {"$set": {"state.due_at": past}})
    await tallies.update_one({"_id": second}, {"$set": {"state.due_at": past - AGO}})
    await backlog.sample()
    assert COMMITS._value.get() == 2
    assert age.get() >= AGO.total_seconds()
    assert due.get() >= 2 * AGO.total_seconds()
    # What somebody holds is not late.
    await tallies.update_one({"_id": second}, {"$set": {"claim": {"holder": uuid4()}}})
    await database["commits"].update_many({}, {"$set": {"published": {"offset": 1}}})
    await backlog.sample()
    assert AGO.total_seconds() <= due.get() < 2 * AGO.total_seconds()
    assert (age.get(), COMMITS._value.get()) == (0, 0)
