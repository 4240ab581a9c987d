"""Emails leave in the sending hours: outside of them a follow-up is moved to the opening."""

import asyncio
import json
from collections import Counter
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


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_five_hundred_that_wait_for_one_opening_leave_spread_after_it(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    count, spread = 500, timedelta(seconds=60)
    environment = providers.settings | WHOLE_DAYS | {"SPREAD_SECONDS": "60"}
    # At noon somewhere, so that the day does not end meanwhile.
    now = datetime.now(UTC)
    ahead = 12 - now.hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
    opening = (now + timedelta(minutes=4)).replace(second=0, microsecond=0)
    start = (opening + timedelta(hours=ahead)).strftime("%H:%M")
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        hours = {"days": WEEKDAYS, "start": start, "end": "24:00"}
        await _change(agent, {"sending_hours": hours, "time_zone": zone})
        lines = "".join(f"Client {n},client{n}@example.com\n" for n in range(count))
        report = await agent.http.post(
            "/api/clients/import",
            content=f"name,email\n{lines}",
            headers={"content-type": "text/csv"},
            timeout=120,
        )
        assert report.json()["imported"] == count
        clients = [line["client_id"] for line in report.json()["lines"]]
        for first in range(0, count, 20):
            paths = (f"/api/clients/{client}/tasks" for client in clients[first : first + 20])
            added = (agent.post(path, {"send_now": True}) for path in paths)
            assert {response.status_code for response in await asyncio.gather(*added)} == {201}

        async def are_moved() -> bool:
            return len(await _moved_to(agent, opening, spread)) == count

        await until(are_moved, "all are moved to their turns after the opening", seconds=120)
        assert datetime.now(UTC) < opening
        await agent.until_sent(count, seconds=600)
        turns = [share // (spread / 6) for share in await _moved_to(agent, opening, spread)]
        sent = [datetime.fromisoformat(entry["at"]) for entry in providers.sendgrid.ledger()]
        assert len(sent) == count
        assert min(sent) >= opening
        # A sixth each, as even as 500 random ids are.
        assert all(count / 12 < number < count / 4 for number in Counter(turns).values())
        left = Counter((at - opening) // (spread / 6) for at in sent)
        print(f"turns by 10 s: {sorted(Counter(turns).items())}, sent: {sorted(left.items())}")  # noqa: T201
        assert running.errors() == []


async def _moved_to(agent: Agent, opening: datetime, spread: timedelta) -> list[timedelta]:
    """Return how long after the opening it is each Custom follow-up's turn."""
    rows = await agent.rows("/api/tasks", due_before=(opening + spread).isoformat())
    dates = (
        datetime.fromisoformat(row["scheduled_for"])
        for row in rows
        if row["followup_type"] == "Custom"
    )
    return [date - opening for date in dates if date >= opening]


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
        changed = await agent.http.patch("/api/agents/me", json=profile)
        assert changed.status_code != 422, changed.text
        return changed.is_success

    await until(is_changed, "the profile is changed")
