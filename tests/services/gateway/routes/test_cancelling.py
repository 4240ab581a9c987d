"""Cancelling what is due over HTTP: until it is too late, and not before that is certain."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from contracts.message import Event
from contracts.scheduler import CancelFollowup, CancelPlan
from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.system import AGENT


async def due(api: Api, *events: Callable[[Story], Event]) -> Story:
    """Return a story whose first follow-up is due and composed, after the further events."""
    story = Story(AGENT, await api.add())
    await api.publish(story.planned(), story.due(0, 1))
    await api.publish(story.requested(0, 1), story.composed(0, 1.1), story.queued(0, 1.2))
    await api.publish(*(one(story) for one in events))
    await api.get_until(f"/api/emails/{story.emails[0]}", lambda r: r.is_success)
    await api.get_until(f"/api/tasks/{story.ids[0]}", lambda r: r.is_success)
    return story


def shown(answer: Any) -> tuple[int, str, str | None]:
    body = answer.json()
    return answer.status_code, body["status"], body["error_message"]


async def test_a_due_follow_up_is_cancelled_once_its_email_is_withdrawn(api: Api) -> None:
    story = await due(api)
    path = f"/api/tasks/{story.ids[0]}"
    cancelling = asyncio.create_task(api.http.post(f"{path}/cancel"))
    plan = f"plan-{story.client}"
    await api.carry_out(CancelFollowup, plan, story.cancelled_when_due(0, 2))
    await api.get_until(path, lambda r: r.json()["status"] == "cancelled")
    # Mailer has not said yet that it is not sent.
    assert not cancelling.done()
    await api.publish(story.withdrawn(0, 2, "by_agent"))
    assert shown(await cancelling) == (200, "cancelled", "by_agent")
    email = await api.http.get(f"/api/emails/{story.emails[0]}")
    assert shown(email) == (200, "withheld", "by_agent")


async def test_an_email_that_was_on_its_way_already_is_shown_as_sent(api: Api) -> None:
    story = await due(api, lambda s: s.started(0, 1.3))
    path = f"/api/emails/{story.emails[0]}"
    cancelling = asyncio.create_task(api.http.post(f"{path}/cancel"))
    plan = f"plan-{story.client}"
    await api.carry_out(CancelFollowup, plan, story.cancelled_when_due(0, 2))
    await api.publish(story.sent(0, 2))
    assert shown(await cancelling) == (200, "sent", None)
    problem(await api.http.post(f"{path}/cancel"), 409)


async def test_where_nobody_settles_it_in_time_the_answer_says_so(api: Api) -> None:
    story = await due(api)
    client = f"/api/clients/{story.client}"
    cancelling = asyncio.create_task(api.http.post(f"{client}/plan/cancel"))
    events = (story.cancelled(1, 2), story.cancelled_when_due(0, 2))
    await api.carry_out(CancelPlan, f"plan-{story.client}", *events)
    pending = await cancelling
    assert pending.status_code == 202, pending.text
    location = pending.headers["location"]
    # What scheduler has to do is done.
    await api.get_until(location, lambda r: r.json()["status"] == "accepted")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda s: s.sent(0, 2), "was sent"),
        (lambda s: s.failed(0, 2), "has failed"),
        (lambda s: s.withheld(0, 2), "was withheld"),
        (lambda s: s.unknown(0, 2), "is not known"),
    ],
)
async def test_what_is_over_is_not_cancelled(
    api: Api, end: Callable[[Story], Event], said: str
) -> None:
    story = await due(api, end)
    for path in (f"/api/tasks/{story.ids[0]}", f"/api/emails/{story.emails[0]}"):
        await api.get_until(path, lambda r: r.json()["status"] not in ("due", "composed", "queued"))
        assert said in problem(await api.http.post(f"{path}/cancel"), 409)


async def test_what_was_cancelled_when_due_is_not_retried(api: Api) -> None:
    story = await due(api, lambda s: s.failed(0, 2))
    path = f"/api/tasks/{story.ids[0]}"
    await api.publish(story.cancelled_when_due(0, 3, "client_lost"))
    await api.get_until(path, lambda r: r.json()["status"] == "cancelled")
    assert "only a failed one" in problem(await api.http.post(f"{path}/retry"), 409)
