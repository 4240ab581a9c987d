"""The switch that stops all emails to clients, over HTTP; the test is mailer."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from contracts.mailer import (
    SENDING_ID,
    PauseSending,
    ResumeSending,
    SendingPaused,
    SendingResumed,
    SendingStopped,
)
from tests.services.gateway.client_events import DAY, NOON
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import Person, person, promote

PATH, STREAM = "/api/admin/sending", f"sending-{SENDING_ID}"


@pytest.fixture
async def admin(api: Api) -> AsyncIterator[Person]:
    async with person(api.http.base_url) as admin:
        await promote(admin)
        yield admin


async def test_an_admin_pauses_and_resumes_and_agents_see_it(api: Api, admin: Person) -> None:
    me = (await admin.http.get("/api/agents/me")).json()["id"]
    nobody = {"state": "active", "reason": None, "since": None, "by": None}
    assert (await admin.http.get(PATH)).json() == nobody
    ordered = {"agent_id": UUID(me)}

    pausing = asyncio.create_task(admin.post(f"{PATH}/pause", reason="Ask jo@mail.example first"))
    paused = SendingPaused(**ordered, paused_at=NOON, reason="Ask <address> first")
    command = await api.carry_out(PauseSending, STREAM, paused)
    assert (command.agent_id, command.reason) == (UUID(me), "Ask <address> first")
    shown = {"reason": "Ask <address> first", "since": "2026-01-31T12:00:00.000Z", "by": me}
    assert (await pausing).json() == {"state": "pausing"} | shown

    await api.publish(SendingStopped(**ordered, stopped_at=NOON))
    await api.get_until("/api/dashboard/stats", lambda r: r.json()["sending"] == "paused")
    assert (await admin.http.get(PATH)).json() == {"state": "paused"} | shown

    resuming = asyncio.create_task(admin.post(f"{PATH}/resume"))
    resumed = SendingResumed(**ordered, resumed_at=NOON + DAY)
    await api.carry_out(ResumeSending, STREAM, resumed)
    since = {"since": "2026-02-01T12:00:00.000Z", "by": me}
    assert (await resuming).json() == nobody | since


async def test_a_reason_that_is_not_one_line_is_named(admin: Person) -> None:
    problem(await admin.post(f"{PATH}/pause", reason="two\nlines"), 422, "reason")
    problem(await admin.post(f"{PATH}/pause", why="who knows"), 422, "why")
