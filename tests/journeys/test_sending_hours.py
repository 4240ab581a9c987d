"""Emails leave in the sending hours: outside of them a follow-up is moved to the opening."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.sending_hours import WEEKDAYS
from tests.chassis.raw_records import all_of
from tests.journeys.agent_user import Agent, agent_at, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey

DAY = timedelta(days=1)
WHOLE_DAYS = {"FOLLOWUP_DAY_SECONDS": "86400"}


async def test_a_follow_up_for_now_waits_for_the_opening_and_then_for_nothing(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    in_three_days = datetime.now(UTC) + 3 * DAY
    closed = {"days": [WEEKDAYS[in_three_days.weekday()]], "start": "00:00", "end": "24:00"}
    async with (
        system(
            tmp_path, kafka, mongodb, prefix=prefix, environment=providers.settings | WHOLE_DAYS
        ) as running,
        agent_at(running.api[0]) as agent,
    ):
        await _change(agent, {"sending_hours": closed, "time_zone": "UTC"})
        client = await agent.add("Maria")
        order = {"send_now": True, "instructions": "Say hello."}
        added = await agent.post(f"/api/clients/{client}/tasks", order)
        assert added.status_code == 201, added.text
        path = f"/api/tasks/{added.json()['_id']}"

        async def is_moved() -> bool:
            task = (await agent.http.get(path)).json()
            date = datetime.fromisoformat(task["scheduled_for"])
            return task["status"] == "pending" and date.date() == in_three_days.date()

        await until(is_moved, "the follow-up is moved to the opening")
        assert providers.sendgrid.ledger() == []

        await _change(agent, {"sending_hours": closed | {"days": WEEKDAYS}})
        assert (await agent.http.patch(path, json={"send_now": True})).is_success
        await agent.task(client, "sent", "Custom")
        assert len(providers.sendgrid.ledger()) == 1
        assert running.errors() == []
    assert await different(kafka, mongodb, prefix) == []


async def test_plans_count_in_the_agent_s_zone_whether_added_imported_or_planned_again(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    services = ("crm", "scheduler", "gateway")
    async with (
        system(
            tmp_path, kafka, mongodb, prefix=prefix, environment=WHOLE_DAYS, services=services
        ) as running,
        agent_at(running.api[0]) as agent,
    ):
        await _change(agent, {"time_zone": "America/Chicago"})
        client = await agent.add("Maria")
        assert (await agent.post(f"/api/clients/{client}/plan/cancel")).is_success
        assert (await agent.post(f"/api/clients/{client}/plan")).is_success
        imported = await agent.http.post(
            "/api/clients/import",
            content="name,email\nBen,ben@example.com\n",
            headers={"content-type": "text/csv"},
        )
        assert imported.is_success, imported.text
        added, read = await _commands(kafka, f"{prefix}clients.commands", "CreateClient")
        assert (added["agent_time_zone"], added.get("imported")) == ("America/Chicago", None)
        assert (read["agent_time_zone"], read.get("imported")) == ("America/Chicago", True)
        [again] = await _commands(kafka, f"{prefix}followups.commands", "StartPlan")
        assert again["time_zone"] == "America/Chicago"


async def _commands(kafka: Server, topic: str, kind: str) -> Sequence[dict[str, Any]]:
    records = sorted(await all_of(kafka.address, topic), key=lambda record: record.timestamp)
    of_kind = (r for r in records if f".{kind}." in dict(r.headers)["ce_type"].decode())
    return [json.loads(record.value) for record in of_kind]


async def _change(agent: Agent, profile: dict[str, Any]) -> None:
    """Change the agent's profile, which the gateway may not know yet."""

    async def is_changed() -> bool:
        return (await agent.http.patch("/api/agents/me", json=profile)).is_success

    await until(is_changed, "the profile is changed")
