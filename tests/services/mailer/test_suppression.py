"""When an address is suppressed, and when no longer."""

from collections.abc import Sequence
from datetime import timedelta
from functools import reduce
from itertools import permutations
from typing import Any, get_args
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from contracts.mailer import (
    AddressResubscribed,
    AddressSoftBounced,
    AddressSuppressed,
    DeliveryKind,
    RecordDelivery,
    RecordedAddress,
    ReleaseSuppression,
    SuppressAddress,
    SuppressionConfirmed,
    SuppressionEvent,
    suppression_id,
)
from services.mailer.suppression import (
    Suppression,
    confirm,
    evolve,
    opt_out,
    release,
    suppress,
)
from tests.services.mailer.sample_emails import AGENT, CLIENT, GIVEN, NOON, report

ADDRESS = "maria@mail.example"
ID = suppression_id(AGENT, ADDRESS)
DAY = timedelta(days=1)
SUPPRESSING = ("bounced", "unsubscribed", "spam_report")


def at(kind: DeliveryKind, days: float = 0, **fields: Any) -> RecordDelivery:
    return report(kind, at=NOON + days * DAY, **fields)


def after(*reports: RecordDelivery) -> Suppression | None:
    """Return what is known after the reports."""
    known: Suppression | None = None
    for each in reports:
        known = reduce(evolve, suppress(known, each, GIVEN), known)
    return known


def withholds(known: Suppression | None) -> bool:
    return known is not None and known.withholds(ADDRESS)


def types(events: Sequence[SuppressionEvent]) -> list[type[SuppressionEvent]]:
    return [type(event) for event in events]


def asked(reason: str | None = None) -> ReleaseSuppression:
    return ReleaseSuppression(agent_id=AGENT, suppression_id=ID, reason=reason)


def by_link(**fields: Any) -> SuppressAddress:
    plain: dict[str, Any] = {
        "agent_id": AGENT,
        "suppression_id": ID,
        "reason": "unsubscribed",
        "source": "link",
        "reported_client": CLIENT,
        "personal": RecordedAddress(email=ADDRESS),
    }
    return SuppressAddress(**plain | fields)


@pytest.mark.parametrize("kind", get_args(DeliveryKind))
def test_a_bounce_an_opt_out_and_a_spam_report_suppress_the_address(kind: DeliveryKind) -> None:
    events = suppress(None, report(kind), GIVEN)
    if kind not in SUPPRESSING:
        assert AddressSuppressed not in types(events)
        assert not withholds(after(report(kind)))
        return
    [event] = events
    assert isinstance(event, AddressSuppressed)
    assert event.reason == kind
    assert event.suppressed_at == GIVEN.now
    assert event.personal.email == ADDRESS
    assert event.suppression_id == ID
    assert (event.reported_client, event.reported_at) == (CLIENT, report(kind).at)
    assert withholds(evolve(None, event))


@pytest.mark.parametrize("kind", SUPPRESSING)
def test_an_address_is_suppressed_once(kind: DeliveryKind) -> None:
    known = after(report("unsubscribed"))
    assert suppress(known, report(kind), GIVEN) == []
    assert opt_out(known, by_link(), GIVEN) == []


def test_an_opt_out_after_a_bounce_is_an_opt_out() -> None:
    known = after(report("bounced"))
    assert suppress(known, report("bounced"), GIVEN) == []
    [event] = opt_out(known, by_link(), GIVEN)
    known = evolve(known, event)
    assert (known.reason, known.due_at) == ("unsubscribed", GIVEN.now)
    assert suppress(known, report("bounced"), GIVEN) == []


def test_another_client_at_the_address_who_opts_out_is_told_of() -> None:
    [event] = opt_out(after(report("unsubscribed")), by_link(reported_client=uuid4()), GIVEN)
    assert isinstance(event, AddressSuppressed)
    # 0.1.0 did not say which client it was.
    known = evolve(None, event.model_copy(update={"reported_client": None}))
    assert opt_out(known, by_link(), GIVEN) == []


def test_a_suppression_is_due_until_it_is_confirmed_once() -> None:
    [event] = suppress(None, report("unsubscribed"), GIVEN)
    suppression = evolve(None, event)
    assert suppression.due_at == GIVEN.now
    [confirmed] = confirm(suppression, GIVEN)
    assert isinstance(confirmed, SuppressionConfirmed)
    assert confirmed.stream == event.stream
    known = evolve(suppression, confirmed)
    assert known.due_at is None
    assert withholds(known)
    with pytest.raises(Refused, match="already"):
        confirm(known, GIVEN)


@pytest.mark.parametrize(
    ("days", "suppressed"),
    [
        ((0, 1), False),
        ((0, 1, 2), True),
        ((0, 15, 29.9), True),
        ((0, 15, 30), False),
        ((0, 29, 31), False),
        ((0, 29, 31, 58), True),
        ((0, 0, 0), True),
    ],
)
def test_the_third_soft_bounce_in_30_days_suppresses(
    days: Sequence[float], suppressed: bool
) -> None:
    assert withholds(after(*(at("soft_bounced", day) for day in days))) == suppressed
    in_no_order = (after(*(at("soft_bounced", day) for day in each)) for each in permutations(days))
    assert days == (0, 29, 31, 58) or {withholds(known) for known in in_no_order} == {suppressed}


def test_the_third_soft_bounce_is_a_bounce_and_a_fourth_says_nothing_more() -> None:
    known = after(at("soft_bounced"), at("soft_bounced", 1))
    events = suppress(known, at("soft_bounced", 2), GIVEN)
    assert types(events) == [AddressSoftBounced, AddressSuppressed]
    known = reduce(evolve, events, known)
    assert known
    assert known.reason == "bounced"
    assert suppress(known, at("soft_bounced", 3), GIVEN) == []


@pytest.mark.parametrize("no", ["unsubscribed", "spam_report"])
def test_who_resubscribes_lifts_the_opt_out_from_before_in_any_order(no: DeliveryKind) -> None:
    for story in permutations((at(no, 0), at("resubscribed", 1))):
        assert not withholds(after(*story))
        # What happened once has one effect, and what is from before lifts nothing.
        assert not withholds(after(*story, *story))
    for story in permutations((at("resubscribed", 0), at(no, 1))):
        assert withholds(after(*story))
    for story in permutations((at("resubscribed", 1), at(no, 1))):
        assert withholds(after(*story)), "at the same second, no means no"


def test_who_resubscribes_and_opts_out_again_is_suppressed() -> None:
    known = after(at("unsubscribed", 0), at("resubscribed", 1))
    assert withholds(after(at("unsubscribed", 0), at("resubscribed", 1), at("unsubscribed", 2)))
    [event] = opt_out(known, by_link(reported_at=NOON + 2 * DAY), GIVEN)
    assert withholds(evolve(known, event))


def test_who_resubscribes_does_not_mend_an_address_that_bounced() -> None:
    [event] = suppress(after(at("bounced", 0)), at("resubscribed", 1), GIVEN)
    assert isinstance(event, AddressResubscribed)
    assert withholds(after(at("bounced", 0), at("resubscribed", 1)))


def test_a_bounce_is_released_and_the_address_may_bounce_again() -> None:
    known = after(at("bounced", 0))
    [event] = release(known, asked(), GIVEN)
    known = evolve(known, event)
    assert not withholds(known)
    assert known.due_at is None
    assert types(suppress(known, at("bounced", 3), GIVEN)) == [AddressSuppressed]


def test_three_soft_bounces_are_needed_again_after_a_release() -> None:
    known = after(*(at("soft_bounced", day) for day in range(3)))
    [event] = release(known, asked(), GIVEN)
    assert types(suppress(evolve(known, event), at("soft_bounced", 3), GIVEN)) == [
        AddressSoftBounced
    ]


def test_an_opt_out_is_released_for_a_reason_alone() -> None:
    known = after(at("unsubscribed", 0))
    for reason in (None, ""):
        with pytest.raises(Refused, match="opted out") as refusal:
            release(known, asked(reason), GIVEN)
        assert refusal.value.field == "reason"
    [event] = release(known, asked("asked by phone"), GIVEN)
    assert event.model_dump()["reason"] == "asked by phone"
    assert event.model_dump()["reported_client"] == CLIENT
    assert not withholds(evolve(known, event))


@pytest.mark.parametrize(
    "known",
    [None, after(at("soft_bounced")), after(at("unsubscribed", 0), at("resubscribed", 1))],
)
def test_what_does_not_hold_is_not_released(known: Suppression | None) -> None:
    with pytest.raises(Refused, match="not found") as refusal:
        release(known, asked("why not"), GIVEN)
    assert refusal.value.kind == "not_found"


def test_another_agent_s_suppression_is_not_released() -> None:
    other = asked("why not").model_copy(update={"agent_id": uuid4()})
    with pytest.raises(Refused, match="not found"):
        release(after(at("bounced")), other, GIVEN)
