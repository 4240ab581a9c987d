"""Planted bugs: classic mistakes, each planted in a service by replacing a function or two.

They show that the checker finds what it should: tests.faults.crashes.test_planted_bugs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from aiokafka import TopicPartition
from aiokafka.structs import RecordMetadata
from pymongo import InsertOne, ReplaceOne

from chassis.domain.errors import CallFailed, OutcomeUnknown
from chassis.domain.sending_hours import SendingWindow
from chassis.domain.state import Given
from chassis.eventlog.aggregate import Change, to_raw
from chassis.eventlog.event_store import EventLog
from chassis.eventlog.relay import OutgoingCommit, Relay, appended
from chassis.inbox.inbox import Inbox
from chassis.kafka import records
from chassis.mongo.client import Raw, in_transaction
from chassis.mongo.daily_limit import DailyPlaces, Place
from chassis.projections.journal import Journal
from chassis.projections.views import Views
from tests.faults.crashes.io_steps import Steps

SHORT = timedelta(seconds=0.2)


def plant(name: str, steps: Steps) -> None:
    """Plant the bug of that name. Raises KeyError for an unknown one."""
    BUGS[name](steps)


def acknowledge_first(_: Steps) -> None:
    """Commit the offsets of a batch, to Kafka and to the database, then handle it."""
    handle = Inbox.handle

    async def acknowledged(self: Inbox, message: Any) -> None:
        await message.ack()
        await self._offsets.advance(message.raw_message)
        await self._offsets.flush()
        await handle(self, message)

    Inbox.handle = acknowledged  # type: ignore[method-assign]


def publish_first(_: Steps) -> None:
    """Publish commits before they are appended."""
    relays: dict[EventLog, Relay] = {}
    begin, transaction = Relay.__init__, EventLog._transaction

    def remembered(self: Relay, log: EventLog, *args: Any) -> None:
        begin(self, log, *args)
        relays[log] = self

    async def published(self: EventLog, changes: Sequence[Change[Any]]) -> None:
        for commit in (appended(change.commit) for change in changes):
            for number in range(len(commit.records)):
                await relays[self]._send([(commit, number)])
        await transaction(self, changes)

    Relay.__init__ = remembered  # type: ignore[method-assign,assignment]
    EventLog._transaction = published  # type: ignore[method-assign]


def mark_first(_: Steps) -> None:
    """Mark commits as published, then publish them."""
    publish = Relay._publish
    anywhere = RecordMetadata("", 0, TopicPartition("", 0), 0, 0, 0, 0)

    async def marked(self: Relay, commits: Iterable[OutgoingCommit]) -> None:
        going = list(commits)
        await self._mark([(commit, anywhere) for commit in going])
        await publish(self, going)

    Relay._publish = marked  # type: ignore[method-assign]


def publish_backwards(_: Steps) -> None:
    """Publish later commits before earlier ones."""
    publish = Relay._publish

    async def backwards(self: Relay, commits: Iterable[OutgoingCommit]) -> None:
        turned = [commit._replace(records=commit.records[::-1]) for commit in commits]
        await publish(self, turned[::-1])

    Relay._publish = backwards  # type: ignore[method-assign]


def state_outside(steps: Steps) -> None:
    """Append in one transaction, and write the states after it."""

    async def apart(self: EventLog, changes: Sequence[Change[Any]]) -> None:
        commits = [InsertOne[Raw](change.commit.to_raw()) for change in changes]

        async def append(session: Any) -> None:
            await self.commits.bulk_write(commits, session=session)

        await in_transaction(self.database, append)
        for change in changes:
            for recorded in change.commit.events:
                steps.crash_if_at(f"after {type(recorded.event).__name__}, before its state")
            raw = to_raw(change.document)
            write = ReplaceOne[Raw]({"_id": raw["_id"]}, raw, upsert=True)
            await self.database[change.aggregate.collection].bulk_write([write])

    EventLog._transaction = apart  # type: ignore[method-assign]


def forget_causes(_: Steps) -> None:
    """Do not look up what a message has caused, and use another id for each delivery."""
    from services.mailer import email, reactions  # noqa: PLC0415

    salt = uuid4()

    async def nothing(self: EventLog, causes: object) -> dict[tuple[UUID, str], int]:
        return {}

    EventLog.known = nothing  # type: ignore[method-assign]
    for module in (email, reactions):
        vars(module)["email_id"] = lambda followup_id: uuid5(followup_id, f"email {salt}")


def apply_repeats(_: Steps) -> None:
    """Make views apply every event, whatever versions they have applied.

    Journals store nothing then: their ids would reject repeats.
    """

    async def every(
        self: Views, events: Sequence[tuple[Any, Any]], session: Any
    ) -> tuple[list[Any], list[int], dict[str, int]]:
        reached = {envelope.subject: envelope.version for envelope, _ in events}
        return [(envelope, event) for envelope, event in events if event is not None], [], reached

    async def nothing(*_: Any) -> None: ...

    Views._in_order = every  # type: ignore[method-assign]
    Journal.write = nothing  # type: ignore[assignment,method-assign]


def count_from_the_clock(_: Steps) -> None:
    """Plan from the time at which the message is handled instead of `created_at`."""
    from services.scheduler import reactions  # noqa: PLC0415

    planned = reactions.plan_followups
    decide = planned.decide

    def counted(plan: Any, client: Any, given: Given, **settings: Any) -> Any:
        now = client.model_copy(update={"created_at": given.now})
        return decide(plan, now, given, **settings)

    reactions.plan_followups = replace(planned, decide=counted)


def call_first(_: Steps) -> None:
    """Call the provider, then append SendStarted."""
    from services.mailer import email_worker as worker  # noqa: PLC0415

    send = worker._send

    class Answered:
        def __init__(self, answer: str | None) -> None:
            self._answer = answer

        async def send(self, outgoing: object) -> str | None:
            return self._answer

        async def close(self) -> None: ...

    async def called(
        work: Any, deps: worker.SendDependencies, place: Place, window: SendingWindow
    ) -> None:
        next_ = work.state.model_copy(update={"attempt": work.state.attempt + 1})
        answer = await deps.transport.send(worker._outgoing(next_, deps.endings, deps.replies))
        await send(work, replace(deps, transport=Answered(answer)), place, window)

    worker._send = called


def give_up_early(_: Steps) -> None:
    """Give up an attempt while its call may still be in flight."""
    from services.mailer import email_worker as worker  # noqa: PLC0415

    send = worker._send

    async def hasty(
        work: Any, deps: worker.SendDependencies, place: Place, window: SendingWindow
    ) -> None:
        policy = replace(deps.policy, call=timedelta(0), give_up_after=SHORT)
        await send(work, replace(deps, policy=policy), place, window)

    worker._send = hasty


def retry_unknown(_: Steps) -> None:
    """Treat a lost answer as a refusal."""
    from services.mailer.transports.sendgrid import SendGridTransport  # noqa: PLC0415

    send = SendGridTransport.send

    async def sure(self: SendGridTransport, outgoing: Any) -> str | None:
        try:
            return await send(self, outgoing)
        except OutcomeUnknown as doubt:
            raise CallFailed(doubt.reason) from doubt

    SendGridTransport.send = sure  # type: ignore[method-assign]


def read_suppressions_first(steps: Steps) -> None:
    """Read the suppressions, then append SendStarted."""
    from services.mailer import email_worker as worker  # noqa: PLC0415
    from services.mailer.sending.objections import Objections  # noqa: PLC0415

    send, ask = worker._send, Objections.to
    answers: dict[UUID, Any] = {}

    async def asked(
        work: Any, deps: worker.SendDependencies, place: Place, window: SendingWindow
    ) -> None:
        answers[work.state.email_id] = await ask(deps.objections, work.state)
        await steps.hold("suppressions read")
        await send(work, deps, place, window)

    async def answered(_: Objections, started: Any) -> Any:
        return answers[started.email_id]

    worker._send = asked
    Objections.to = answered  # type: ignore[assignment,method-assign]


def suppress_raw_address(_: Steps) -> None:
    """Make a suppression's id of the address as it is spelled."""
    from services.mailer import (  # noqa: PLC0415
        email,
        reactions,
        suppression,
        suppression_worker,
    )
    from services.mailer.sending import objections  # noqa: PLC0415

    def raw(agent_id: UUID, address: str) -> UUID:
        return uuid5(agent_id, address.strip().casefold())

    for single in (email, reactions, suppression):
        single.suppression_id = raw  # type: ignore[attr-defined]
    for several in (objections, suppression_worker):
        several.suppression_ids = lambda *address: (raw(*address),)  # type: ignore[attr-defined]


def read_switch_first(steps: Steps) -> None:
    """Read the switch before SendStarted only."""
    from services.mailer import email_worker as worker  # noqa: PLC0415
    from services.mailer.sending import objections  # noqa: PLC0415

    objections.is_paused = lambda _: False  # type: ignore[assignment]
    _hold_before_start(worker, steps)


def look_at_recipient_first(steps: Steps) -> None:
    """Read the recipient, then append SendStarted."""
    from services.mailer import email_worker as worker  # noqa: PLC0415

    send = worker._send

    class Known:
        def __init__(self, recipient: Any) -> None:
            self._recipient = recipient

        async def get(self, _: UUID) -> Any:
            return self._recipient

    async def looked(
        work: Any, deps: worker.SendDependencies, place: Place, window: SendingWindow
    ) -> None:
        recipient = await deps.objections.recipients.get(work.state.client_id)
        await steps.hold("before SendStarted")
        known: Any = Known(recipient)
        await send(
            work,
            replace(deps, objections=replace(deps.objections, recipients=known)),
            place,
            window,
        )

    worker._send = looked


def count_then_take(steps: Steps) -> None:
    """Count the places of the day, and take one in a second step."""
    take = DailyPlaces._take

    async def apart(self: DailyPlaces, agent_id: UUID) -> UUID:
        known = await self._agents.find_one({"_id": agent_id}) or {"places": []}
        if len(known["places"]) >= self._limit.calls:
            return await take(self, agent_id)
        await steps.hold("before SendStarted")
        unlimited = replace(self._limit, calls=1000)
        return await take(DailyPlaces(self._agents.database, unlimited), agent_id)

    DailyPlaces._take = apart  # type: ignore[method-assign]


def _hold_before_start(worker: Any, steps: Steps) -> None:
    send = worker._send

    async def held(work: Any, deps: Any, place: Any, window: Any) -> None:
        await steps.hold("before SendStarted")
        await send(work, deps, place, window)

    worker._send = held


def compose_discarded(_: Steps) -> None:
    """Compose although the draft was discarded meanwhile."""
    from services.composer import draft  # noqa: PLC0415

    draft.require_requested = lambda _: None  # type: ignore[assignment]


def confirm_stop_at_once(_: Steps) -> None:
    """Confirm that all sending has stopped without waiting for what is in flight."""
    from services.mailer.sending import switch, switch_worker  # noqa: PLC0415

    async def at_once(work: Any, **_: Any) -> None:
        await work.append(switch.confirm_stopped)

    switch_worker.confirm_stop = at_once


def keep_suppression_id(_: Steps) -> None:
    """Keep the suppression of the old address when an email is addressed anew."""
    from services.mailer import documents  # noqa: PLC0415

    evolve = documents.EMAILS.evolve

    def kept(email: Any, event: Any) -> Any:
        after = evolve(email, event)
        known = {"suppression_id": email.suppression_id} if email else {}
        return after.model_copy(update=known)

    object.__setattr__(documents.EMAILS, "evolve", kept)


def answer_cancel_at_once(_: Steps) -> None:
    """Answer that a follow-up is cancelled without waiting for what is in flight."""
    from services.gateway.routes.followups import cancelling  # noqa: PLC0415

    async def at_once(*_: Any) -> bool:
        return True

    cancelling.settled = at_once  # type: ignore[assignment]


def take_from_any_topic(_: Steps) -> None:
    """Take a record from whatever topic and writer it comes."""
    records._require_own_topic = lambda *_: None


BUGS: Final[Mapping[str, Callable[[Steps], None]]] = {
    bug.__name__: bug
    for bug in (
        acknowledge_first,
        publish_first,
        mark_first,
        publish_backwards,
        state_outside,
        forget_causes,
        apply_repeats,
        count_from_the_clock,
        call_first,
        give_up_early,
        retry_unknown,
        read_suppressions_first,
        take_from_any_topic,
        suppress_raw_address,
        read_switch_first,
        look_at_recipient_first,
        count_then_take,
        compose_discarded,
        confirm_stop_at_once,
        keep_suppression_id,
        answer_cancel_at_once,
    )
}
