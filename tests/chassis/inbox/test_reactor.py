"""The reactor: a batch of messages against the log, each stream's in their order."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from chassis.eventlog.event_store import EventLog, StateBehindLog
from chassis.inbox.reactor import Reaction, Reactor, Task
from chassis.inbox.receipts import Done, Outcome
from chassis.mongo.client import Database
from chassis.process.tasks import cancel_and_wait
from contracts import cloudevents
from contracts.mailer import DeliveryKind, RecordDelivery
from tests.chassis.tally import OBEY, TALLIES, Tally, TallyEvent, change, opened, order


def task(
    of: UUID,
    kind: DeliveryKind,
    reaction: Reaction = OBEY,
    reason: str = "red",
    if_version: int | None = None,
) -> Task:
    message = order(of, kind, reason).model_copy(update={"if_version": if_version})
    envelope = cloudevents.about(
        message, id=uuid4(), source="gateway", time=datetime.now(UTC), correlation=uuid4()
    )
    return Task(envelope, message, reaction)


async def test_a_stream_s_messages_in_one_batch_are_decided_in_their_order(
    log: EventLog, database: Database
) -> None:
    streams = [uuid4() for _ in range(3)]
    tasks = [task(of, "opened") for _ in range(5) for of in streams]
    outcomes = await Reactor(log, "mailer").carry_out(tasks)
    expected = [Done(f"email-{of}", number) for number in range(1, 6) for of in streams]
    assert outcomes == expected
    for of in streams:
        found = database["commits"].find({"stream": f"email-{of}"}).sort("first", 1)
        causes = [commit["cause"] async for commit in found]
        assert causes == [t.envelope.id for t in tasks if t.target == of]


async def test_each_message_of_a_mixed_batch_gets_its_own_outcome(log: EventLog) -> None:
    of, other, third = uuid4(), uuid4(), uuid4()
    outcomes = await Reactor(log, "mailer").carry_out(
        [
            task(of, "opened"),
            task(of, "bounced"),
            task(of, "clicked"),
            task(of, "delivered"),
            task(of, "opened"),
            task(other, "unsubscribed"),
            task(third, "unsubscribed"),
        ]
    )
    done, refused, bug, nothing, again, labelled, taken = outcomes
    assert done == Done(f"email-{of}", 1)
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.field) == ("invalid", "kind")
    assert isinstance(bug, ZeroDivisionError)
    assert nothing == Done(f"email-{of}", 1)
    assert again == Done(f"email-{of}", 2)
    assert labelled == Done(f"email-{other}", 1)
    assert isinstance(taken, Refused)
    assert taken.field == "label"


async def test_a_message_that_comes_again_is_answered_from_the_log(
    log: EventLog, database: Database
) -> None:
    of = uuid4()
    first, second = task(of, "opened"), task(of, "opened")
    reactor = Reactor(log, "mailer")
    await reactor.carry_out([first, second])
    assert await reactor.carry_out([first, second, first]) == [
        Done(f"email-{of}", 1),
        Done(f"email-{of}", 2),
        Done(f"email-{of}", 1),
    ]
    assert await reactor.carry_out([task(of, "opened"), second]) == [
        Done(f"email-{of}", 3),
        Done(f"email-{of}", 2),
    ]
    assert await database["commits"].count_documents({"stream": f"email-{of}"}) == 3


async def test_a_message_twice_in_one_batch_is_handled_once(log: EventLog) -> None:
    of = uuid4()
    once = task(of, "opened")
    outcomes = await Reactor(log, "mailer").carry_out([once, once])
    assert outcomes == [Done(f"email-{of}", 1)] * 2


async def test_two_replicas_with_the_same_messages_handle_each_once(
    log: EventLog, database: Database
) -> None:
    other = EventLog(database)
    running = asyncio.create_task(other.run())
    streams = [uuid4() for _ in range(20)]
    tasks = [task(of, "opened") for _ in range(3) for of in streams]
    both = await asyncio.gather(
        Reactor(log, "mailer").carry_out(tasks), Reactor(other, "mailer").carry_out(tasks)
    )
    await cancel_and_wait([running])
    for outcomes in both:
        assert outcomes == [Done(f"email-{of}", n) for n in (1, 2, 3) for of in streams]
    stored = await log.load(TALLIES, streams)
    assert {document.state.opened for document in stored.values()} == {3}


async def test_a_decision_is_made_again_when_another_was_first(log: EventLog) -> None:
    of = uuid4()
    seen: list[int] = []
    rival = change(of, opened(of), opened(of))

    class Slow(EventLog):
        """Another writer appends between reading and appending, once."""

        async def known(self, causes: object) -> dict[tuple[UUID, str], int]:
            if not seen:
                assert await log.append([rival]) == [None]
            return await super().known(causes)  # type: ignore[arg-type]

    def decide(tally: Tally | None, command: RecordDelivery, given: Given) -> list[TallyEvent]:
        seen.append(tally.opened if tally else 0)
        return [opened(of)]

    slow = Slow(log.database)
    slow.append = log.append  # type: ignore[method-assign]
    reaction = Reaction(TALLIES, lambda command: command.email_id, decide)
    outcomes = await Reactor(slow, "mailer").carry_out([task(of, "opened", reaction)])
    assert outcomes == [Done(f"email-{of}", 3)]
    assert seen == [0, 2]


async def test_a_command_that_changed_nothing_is_answered_the_same_when_it_comes_again(
    log: EventLog,
) -> None:
    """Decided again, each of the two would take effect now."""
    of, taken = uuid4(), uuid4()
    nothing, refused = task(of, "delivered"), task(of, "bounced")
    clash = task(taken, "unsubscribed", reason="one of a kind")
    reactor = Reactor(log, "mailer")
    await reactor.carry_out([task(uuid4(), "unsubscribed", reason="one of a kind")])
    before = await reactor.carry_out([nothing, refused, clash])
    willing = Reaction(TALLIES, OBEY.of, agree)
    await reactor.carry_out([task(of, "opened")])
    again = await reactor.carry_out(
        [replace(t, reaction=willing) for t in (nothing, refused, clash)]
    )
    assert [type(outcome) for outcome in before] == [Done, Refused, Refused]
    assert [_told(outcome) for outcome in again] == [_told(outcome) for outcome in before]
    assert (await log.load(TALLIES, [of]))[of].version == 1


async def test_a_command_for_another_version_is_refused_even_if_it_would_change_nothing(
    log: EventLog, database: Database
) -> None:
    of = uuid4()
    outcomes = await Reactor(log, "mailer").carry_out(
        [
            task(of, "opened", if_version=0),
            task(of, "opened", if_version=1),
            task(of, "opened", if_version=1),
            task(of, "delivered", if_version=3),
            task(of, "delivered", if_version=2),
            task(uuid4(), "opened", if_version=1),
        ]
    )
    done, again, stale, nothing, fresh, absent = outcomes
    stream = f"email-{of}"
    assert (done, again, fresh) == (Done(stream, 1), Done(stream, 2), Done(stream, 2))
    for refused, versions in ((stale, "2 instead of 1"), (nothing, "2 instead of 3")):
        assert isinstance(refused, Refused)
        assert (refused.kind, refused.field) == ("conflict", "if_version")
        assert versions in refused.reason
    assert isinstance(absent, Refused)
    assert absent.field == "if_version"
    assert await database["commits"].count_documents({"stream": stream}) == 2


async def test_what_the_decision_says_no_to_is_told_rather_than_a_version(log: EventLog) -> None:
    of = uuid4()
    [refused] = await Reactor(log, "mailer").carry_out([task(of, "bounced", if_version=7)])
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.field) == ("invalid", "kind")


async def test_a_command_for_a_version_is_answered_as_before_when_it_comes_again(
    log: EventLog,
) -> None:
    of = uuid4()
    accepted, stale = task(of, "opened", if_version=0), task(of, "opened", if_version=0)
    reactor = Reactor(log, "mailer")
    before = await reactor.carry_out([accepted, stale])
    assert [type(outcome) for outcome in before] == [Done, Refused]
    await reactor.carry_out([task(of, "opened")])
    again = await reactor.carry_out([accepted, stale])
    assert [_told(outcome) for outcome in again] == [_told(outcome) for outcome in before]


async def test_the_version_is_looked_at_again_when_another_was_first(log: EventLog) -> None:
    of = uuid4()
    rivals = [change(of, opened(of))]

    class Slow(EventLog):
        """Another writer appends between reading and appending, once."""

        async def known(self, causes: object) -> dict[tuple[UUID, str], int]:
            if rivals:
                assert await log.append([rivals.pop()]) == [None]
            return await super().known(causes)  # type: ignore[arg-type]

    slow = Slow(log.database)
    slow.append = log.append  # type: ignore[method-assign]
    [refused] = await Reactor(slow, "mailer").carry_out([task(of, "opened", if_version=0)])
    assert isinstance(refused, Refused)
    assert refused.field == "if_version"


async def test_only_the_stream_that_a_command_names_has_to_be_at_its_version(log: EventLog) -> None:
    named, other = uuid4(), uuid4()
    one = task(named, "opened", if_version=3)
    aside = Reaction(TALLIES, lambda _: other, lambda *_: [opened(other)])
    outcomes = await Reactor(log, "mailer").carry_out([one, replace(one, reaction=aside)])
    assert isinstance(outcomes[0], Refused)
    assert outcomes[1] == Done(f"email-{other}", 1)


async def test_a_state_that_was_put_back_behind_its_log_is_a_bug_and_not_an_endless_loop(
    log: EventLog, database: Database
) -> None:
    of, other = uuid4(), uuid4()
    reactor = Reactor(log, "mailer")
    await reactor.carry_out([task(of, "opened"), task(of, "opened")])
    await database["tallies"].update_one({"_id": of}, {"$set": {"version": 1}})
    behind, done = await reactor.carry_out([task(of, "opened"), task(other, "opened")])
    assert isinstance(behind, StateBehindLog)
    assert done == Done(f"email-{other}", 1)


def agree(tally: Tally | None, command: RecordDelivery, given: Given) -> list[TallyEvent]:
    """Count an opening, whatever is ordered."""
    return [opened(command.email_id)]


def _told(outcome: Outcome) -> object:
    if isinstance(outcome, Refused):
        return outcome.reason, outcome.field, outcome.kind
    return outcome
