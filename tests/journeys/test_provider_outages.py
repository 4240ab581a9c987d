"""A provider refuses everybody for a while: everything waits, and is sent once, afterwards."""

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.agent_user import DAYS, agent_at, until
from tests.journeys.conftest import Providers
from tests.journeys.faulty_provider_system import ADMIN, SETTINGS
from tests.servers import Server
from tests.system import system

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

NAMES = [f"Waiting{number}" for number in range(8)]
QUOTA = {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}


@pytest.mark.parametrize(
    ("called", "service", "fault"),
    [
        ("openai", "composer", {"status": 429, "body": QUOTA}),
        ("sendgrid", "mailer", {"status": 401}),
    ],
    ids=str,
)
async def test_all_wait_all_are_sent_after_it_and_it_is_told_once(
    tmp_path: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    called: str,
    service: str,
    fault: dict[str, Any],
) -> None:
    # Three attempts would be over in less than a second; Day 3 falls due while Day 1 waits.
    compressed = {"RETRY_BASE_SECONDS": "0.1", "FOLLOWUP_DAY_SECONDS": "0.5"}
    settings = providers.settings | SETTINGS | compressed
    provider = getattr(providers, called)
    # The other outage's, whose admin is told, too.
    accepted_before = len(providers.sendgrid.ledger())
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        await provider.inject_faults({**fault, "times": None})
        try:
            clients = [await agent.add(name) for name in NAMES]
            url = running.processes[service][0].url

            async def is_told() -> bool:
                ready = await agent.http.get(f"{url}/health/ready")
                return "provider" in ready.json() and bool(running.errors())

            await until(is_told, "the service says that its provider is away")
            assert not {"sent", "failed"} & (await agent.statuses()).keys()
        finally:
            await provider.clear_faults()
        tasks = [await agent.task(client, "sent", day) for client in clients for day in DAYS]
        assert [task["error_message"] for task in tasks] == [None] * len(tasks)
        [error] = running.errors()
        assert "provider_away" in error
        ledger = providers.sendgrid.ledger()[accepted_before:]
        mailed = {entry["custom_args"].get("followup_id") for entry in ledger}
        assert {task["_id"] for task in tasks} <= mailed
        # Of the model the admin is told by an email, too; of the mail provider it cannot be.
        told = [entry["subject"] for entry in ledger if entry["to"] == [ADMIN]]
        subject = "RealtorOS: no letters are written at present"
        assert told == ([subject] if called == "openai" else [])
        # Of one client's letters none overtakes another.
        order = {task["_id"]: list(DAYS).index(task["followup_type"]) for task in tasks}
        for client in clients:
            days = [
                order[entry["custom_args"]["followup_id"]]
                for entry in ledger
                if entry["custom_args"].get("client_id") == client
            ]
            assert days == sorted(days)
