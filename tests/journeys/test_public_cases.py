"""What public bug reports of other programs tell of: a week away, a double click."""

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from contracts.services import SERVICES
from tests.journeys.agent_user import agent_at, followups_in, parse_time, until
from tests.journeys.conftest import Providers
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey

DAY_SECONDS = 0.5


async def test_after_weeks_away_each_followup_is_sent_once_and_one_a_day(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    settings = providers.settings | {
        "FOLLOWUP_DAY_SECONDS": str(DAY_SECONDS),
        "SCHEDULER_POLL_SECONDS": "0.2",
    }
    before = len(providers.sendgrid.ledger())
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        client = await agent.add("Away")
        missed = await agent.task(client, "pending", "Week 2")
        await running.stop(*SERVICES)

        async def week_2_is_over() -> bool:
            return datetime.now(UTC) > parse_time(missed["scheduled_for"])

        await until(week_2_is_over, "the second week is over")
        await running.start(*SERVICES)
        tasks = await agent.until_all_ended(5)
        timeline = await agent.rows(f"/api/clients/{client}/timeline")
    assert {task["status"] for task in tasks} == {"sent"}
    accepted = followups_in(providers.sendgrid.ledger()[before:])
    assert accepted == {task["_id"]: 1 for task in tasks}
    due = [one["data"]["due_at"] for one in timeline if one["type"] == "FollowupDue"]
    assert len(due) == 5
    times = sorted(map(parse_time, due))
    assert all((b - a).total_seconds() >= DAY_SECONDS for a, b in pairwise(times))


async def test_of_a_double_click_on_retry_one_counts(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    settings = providers.settings | {"FOLLOWUP_DAY_SECONDS": str(DAY_SECONDS)}
    before = len(providers.sendgrid.ledger())
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        await providers.sendgrid.inject_faults({"status": 400})
        client = await agent.add("Twice")
        failed = await agent.task(client, "failed")
        path = f"/api/tasks/{failed['_id']}/retry"
        answers = await asyncio.gather(*(agent.post(path) for _ in range(4)))
        assert sum(answer.is_success for answer in answers) == 1
        assert {answer.status_code for answer in answers if not answer.is_success} == {409}
        await agent.task(client, "sent")
        # A second order would be carried out before what falls due after it.
        await agent.task(client, "sent", "Day 3")
    accepted = followups_in(providers.sendgrid.ledger()[before:])
    assert accepted[failed["_id"]] == 1
