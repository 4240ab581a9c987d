"""The reactor: a batch of messages against the log, each stream's in their order."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from chassis.ending import end
from chassis.errors import Refused
from chassis.log import BehindItsLog, Log
from chassis.mongo import Database
from chassis.outcomes import Done, Outcome
from chassis.reactions import Reaction, Reactor, Task
from chassis.state import Given
from contracts import cloudevents
from contracts.mailer import DeliveryKind, RecordDelivery
from tests.chassis.tally import OBEY, TALLIES, Tally, TallyEvent, change, opened, order


def task(of: UUID, kind: DeliveryKind, reaction: Reaction = OBEY, reason: str = "red") -> Task:
    message = order(of, kind, reason)
    envelope = cloudevents.about(
        message, id=uuid4(), source="gateway", time=datetime.now(UTC), correlation=uuid4()
    )
    return Task(envelope, message, reaction)


async def test_a_stream_s_messages_in_one_batch_are_decided_in_their_order(
    log: Log, database: Database
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


async def test_each_message_of_a_mixed_batch_gets_its_own_outcome(log: Log) -> None:
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
    log: Log, database: Database
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


async def test_a_message_twice_in_one_batch_is_handled_once(log: Log) -> None:
    of = uuid4()
    once = task(of, "opened")
    outcomes = await Reactor(log, "mailer").carry_out([once, once])
    assert outcomes == [Done(f"email-{of}", 1)] * 2


async def test_two_replicas_with_the_same_messages_handle_each_once(
    log: Log, database: Database
) -> None:
    other = Log(database)
    running = asyncio.create_task(other.run())
    streams = [uuid4() for _ in range(20)]
    tasks = [task(of, "opened") for _ in range(3) for of in streams]
    both = await asyncio.gather(
        Reactor(log, "mailer").carry_out(tasks), Reactor(other, "mailer").carry_out(tasks)
    )
    await end([running])
    for outcomes in both:
        assert outcomes == [Done(f"email-{of}", n) for n in (1, 2, 3) for of in streams]
    stored = await log.load(TALLIES, streams)
    assert {document.state.opened for document in stored.values()} == {3}


async def test_a_decision_is_made_again_when_somebody_was_first(log: Log) -> None:
    of = uuid4()
    seen: list[int] = []
    rival = change(of, opened(of), opened(of))

    class Slow(Log):
        """Somebody appends between reading and appending, once."""

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
    log: Log,
) -> None:
    """Decided anew, each of the two would take effect now."""
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


async def test_a_state_that_was_put_back_behind_its_log_is_a_bug_and_not_an_endless_loop(
    log: Log, database: Database
) -> None:
    of, other = uuid4(), uuid4()
    reactor = Reactor(log, "mailer")
    await reactor.carry_out([task(of, "opened"), task(of, "opened")])
    await database["tallies"].update_one({"_id": of}, {"$set": {"version": 1}})
    behind, done = await reactor.carry_out([task(of, "opened"), task(other, "opened")])
    assert isinstance(behind, BehindItsLog)
    assert done == Done(f"email-{other}", 1)


def agree(tally: Tally | None, command: RecordDelivery, given: Given) -> list[TallyEvent]:
    """Count an opening, whatever is ordered."""
    return [opened(command.email_id)]


def _told(outcome: Outcome) -> object:
    if isinstance(outcome, Refused):
        return outcome.reason, outcome.field, outcome.kind
    return outcome
