"""A client's history: planned, followed up five times, sometimes changed, refused or deleted."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from chassis.domain.errors import CallFailed
from chassis.domain.retry import RetryPolicy
from chassis.domain.sending_hours import Calendar
from chassis.eventlog.aggregate import Commit
from contracts import crm
from contracts.mailer import (
    DeliveryKind,
    RecordDelivery,
    RecordedAddress,
    email_id,
    suppression_id,
)
from contracts.scheduler import FollowupType, Recipient
from services.composer import draft
from services.composer.documents import DRAFTS
from services.composer.writer import Composition, Written
from services.crm import client
from services.crm.documents import CLIENTS
from services.mailer import alert, email, suppression
from services.mailer.documents import ALERTS, EMAILS, SUPPRESSIONS
from services.mailer.sending import before_call
from services.scheduler import plan, plan_additions
from services.scheduler.documents import PLANS
from services.scheduler.plan_cancellations import cancel_on_deletion, cancel_on_stage
from tests.bench.event_history import DAY, SEED, EventHistory, agent_id, profile

_HOUR = 3600
_CALENDAR = Calendar(DAY)
_MINUTE = timedelta(minutes=1)
_POLICY = RetryPolicy(_MINUTE, 3)
_BUSY = CallFailed("503 Service Unavailable")
_REFUSED = CallFailed("400 Bad Request", final=True)
_BODY = (
    "Dear {name},\n\nI wanted to look in on you and your plans for a home at {address}. You said"
    " that you would like to be near a school and that mornings suit you best, so I have kept an"
    " eye on what came up since we last spoke. There is no hurry at all on my side.\n\nIf it"
    " helps, I can put together a short overview of what is on offer around you, with what"
    " similar homes went for and how long they took, so that you have something to compare with."
    " It takes me a day, and you would be free to do with it whatever you like.\n\nI am at my"
    " desk most mornings until eleven and can come by on Thursdays and Fridays. You can simply"
    " answer this message, or call me at the number below: whichever is easier for you. And if"
    " you would rather hear from me less often, tell me; I shall not mind in the least.\n\n"
    "Is there anything about the quarter that you would like me to find out before you decide"
    " whether to have a look, such as noise, buses, or how the school is thought of?"
)


class ClientHistory(EventHistory):
    """A client of an agent, from the first command to the last report."""

    def __init__(self, number: int, agent_number: int, at: datetime) -> None:
        super().__init__(f"client {number}", at)
        self._agent = profile(agent_number)
        self._client_id = uuid5(SEED, f"the client {number}")
        self._about = {"agent_id": agent_id(agent_number), "client_id": self._client_id}
        self._details = crm.ClientDetails(
            name=f"Robin Client {number}",
            email=f"robin.{number}@clients.example",
            phone="+1 555 0199",
            property_address=f"{number} Maple Street, Springfield",
            notes="Looks for three bedrooms near a school; has a dog; prefers to be called.",
            custom_fields={"source": "open house", "budget": "medium"},
        )

    def commits(self) -> Iterator[Commit]:
        """Yield the commits in the order in which they are made."""
        of = self._client_id
        details = crm.NewClientDetails.model_validate(self._details.model_dump())
        create = crm.CreateClient(**self._about, personal=details)
        yield from self.decided(
            CLIENTS, of, self.next_command_id(), lambda c, g: client.create(c, create, g)
        )
        created = self.last
        yield from self.decided(
            PLANS,
            of,
            self.last_id,
            lambda p, g: plan_additions.plan_followups(p, created, g, calendar=_CALENDAR),
        )
        # The scheduler was down when it fell due: the next ones are rescheduled.
        outage = self.rng.randrange(5) if self.happens(0.05) else None
        changed = self.rng.randrange(5) if self.happens(0.2) else None
        ended = self.rng.randrange(5) if self.happens(0.06) else None
        for number in range(5):
            if number == changed:
                yield from self._update(notes="Has seen two houses, liked neither.")
            if number == ended:
                yield from self._end()
                return
            cause = self.due(PLANS, of)
            if number == outage:
                self.now += 5 * DAY
            known = plan.KnownClient(
                stage="lead",
                property_type="residential",
                recipient=Recipient(client=self._details, agent=self._agent),
            )
            fall_due = partial(
                plan.fall_due, client=known, calendar=_CALENDAR, window=_CALENDAR.window(None)
            )
            yield from self.decided(PLANS, of, cause, fall_due)
            yield from self._follow_up()

    def _update(self, **personal: str) -> Iterator[Commit]:
        self._details = self._details.model_copy(update=personal)
        patch = crm.ClientDetailsPatch(**personal)
        update = crm.UpdateClient(**self._about, personal=patch)
        yield from self.decided(
            CLIENTS,
            self._client_id,
            self.next_command_id(),
            lambda c, g: client.update(c, update, g),
        )

    def _end(self) -> Iterator[Commit]:
        """Delete the client, or close it; either cancels the pending follow-ups."""
        of = self._client_id
        if self.happens(0.5):
            delete = crm.DeleteClient(**self._about)
            yield from self.decided(
                CLIENTS, of, self.next_command_id(), lambda c, g: client.delete(c, delete, g)
            )
            deleted = self.last
            yield from self.decided(
                PLANS,
                of,
                self.last_id,
                lambda p, g: cancel_on_deletion(p, deleted, g),
            )
            return
        close = crm.UpdateClient(**self._about, stage="closed")
        yield from self.decided(
            CLIENTS, of, self.next_command_id(), lambda c, g: client.update(c, close, g)
        )
        closed = self.last
        yield from self.decided(PLANS, of, self.last_id, lambda p, g: cancel_on_stage(p, closed, g))

    def _follow_up(self) -> Iterator[Commit]:
        """Compose and send the follow-up that has fallen due."""
        due: Any = self.events[0].event
        of = due.followup_id
        cause = self.events[0].envelope.id
        yield from self.decided(DRAFTS, of, cause, lambda d, g: draft.request(d, due, g))
        if self.happens(0.03):
            yield from self._not_composed(of, _BUSY)
        elif self.happens(0.003):
            yield from self._not_composed(of, _REFUSED)
            yield from self._alert()
            return
        written = self._written(self._type(of))
        cause = self.due(DRAFTS, of)
        compose = partial(draft.compose, written=written, written_by="gpt-4o-mini")
        self.pass_time(1, 8)
        yield from self.decided(DRAFTS, of, cause, compose)
        composed = self.last
        of = email_id(of)
        yield from self.decided(EMAILS, of, self.last_id, lambda e, g: email.queue(e, composed, g))
        yield from self._send(of)

    def _type(self, followup: UUID) -> FollowupType:
        kind: FollowupType = self.state(DRAFTS, followup).followup_type
        return kind

    def _written(self, kind: FollowupType) -> Written:
        address = self._details.property_address
        return Written(
            Composition(
                subject=f"{kind}: your plans for {address}",
                body=_BODY.format(name=self._details.name, address=address),
            ),
            language="en",
        )

    def _not_composed(self, of: UUID, failure: CallFailed) -> Iterator[Commit]:
        fail = partial(draft.fail_attempt, failure=failure, policy=_POLICY)
        yield from self.decided(DRAFTS, of, self.due(DRAFTS, of), fail)

    def _send(self, of: UUID) -> Iterator[Commit]:
        """Start, then mostly sent; else refused, withheld or unknown."""
        attempt = yield from self._start(of)
        answer = uuid5(self.last_id, "answer")
        suppressed = self.state(
            SUPPRESSIONS, suppression_id(self._about["agent_id"], self._details.email)
        )
        if suppressed:
            withhold = partial(before_call.withhold, reason="address_suppressed")
            yield from self.decided(EMAILS, of, answer, withhold)
            return
        if self.happens(0.03):
            fail = partial(email.fail_attempt, attempt=attempt, failure=_BUSY, policy=_POLICY)
            yield from self.decided(EMAILS, of, answer, fail)
            attempt = yield from self._start(of)
            answer = uuid5(self.last_id, "answer")
        elif self.happens(0.003):
            fail = partial(email.fail_attempt, attempt=attempt, failure=_REFUSED, policy=_POLICY)
            yield from self.decided(EMAILS, of, answer, fail)
            yield from self._alert()
            return
        if self.happens(0.01):
            # The report of its delivery proves that it was sent: two events in one commit.
            give_up = partial(
                email.mark_unknown, attempt=attempt, reason="no answer", reconcile=60 * _MINUTE
            )
            yield from self.decided(EMAILS, of, self.due(EMAILS, of), give_up)
        else:
            sent = partial(email.sent, attempt=attempt, provider_message_id=f"{of.hex[:22]}.1")
            yield from self.decided(EMAILS, of, answer, sent)
        yield from self._reports(of, attempt)

    def _start(self, of: UUID) -> Any:
        start = partial(email.start, give_up_after=_MINUTE)
        yield from self.decided(EMAILS, of, self.due(EMAILS, of), start)
        return self.last.attempt

    def _reports(self, of: UUID, attempt: int) -> Iterator[Commit]:
        self.pass_time(2, 60)
        if self.happens(0.01):
            yield from self._report(of, attempt, "bounced")
            yield from self._suppress(of, "bounced")
            return
        yield from self._report(of, attempt, "delivered")
        if not self.happens(0.7):
            return
        self.pass_time(5 * 60, 10 * _HOUR)
        yield from self._report(of, attempt, "opened")
        if self.happens(0.3):
            self.pass_time(5, 300)
            yield from self._report(of, attempt, "clicked")
        if self.happens(0.01):
            yield from self._suppress(of, "unsubscribed")

    def _report(self, of: UUID, attempt: int, kind: DeliveryKind) -> Iterator[Commit]:
        report = self._reported(of, kind, attempt)
        yield from self.decided(
            EMAILS, of, self.next_command_id(), lambda e, g: email.record(e, report, g)
        )

    def _suppress(self, of: UUID, kind: DeliveryKind) -> Iterator[Commit]:
        report = self._reported(of, kind)
        of = suppression_id(report.agent_id, self._details.email)
        yield from self.decided(
            SUPPRESSIONS,
            of,
            self.next_command_id(),
            lambda s, g: suppression.suppress(s, report, g),
        )
        yield from self.decided(SUPPRESSIONS, of, self.due(SUPPRESSIONS, of), suppression.confirm)

    def _reported(self, of: UUID, kind: DeliveryKind, attempt: int | None = None) -> RecordDelivery:
        return RecordDelivery(
            **self._about,
            email_id=of,
            followup_id=self.state(EMAILS, of).followup_id,
            kind=kind,
            at=self.now,
            attempt=attempt,
            personal=RecordedAddress(email=self._details.email),
        )

    def _alert(self) -> Iterator[Commit]:
        failure = self.last
        of = alert.alert_id(failure)
        cause = self.last_id
        yield from self.decided(ALERTS, of, cause, lambda a, g: alert.raise_alert(a, failure, g))
        yield from self.decided(ALERTS, of, self.due(ALERTS, of), alert.start)
        yield from self.decided(ALERTS, of, uuid5(self.last_id, "answer"), alert.sent)
