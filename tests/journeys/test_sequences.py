"""A client is given sequences: an agent's own, then the anniversaries of a past client."""

from pathlib import Path

import pytest

from tests.journeys.agent_user import agent_at, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.servers import Server
from tests.system import system
from tests.writes import carried_out

pytestmark = pytest.mark.journey

DAY_SECONDS = 2
GOAL = "Ask whether the garden was what they had in mind."
OWN = {
    "name": "After a viewing",
    "stages": ["negotiating"],
    "steps": [{"name": "Next day", "days": 1, "goal": GOAL}, {"name": "A year on", "years": 1}],
}


async def test_a_plan_has_the_steps_of_its_sequence_and_a_past_client_anniversaries(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    environment = providers.settings | {"FOLLOWUP_DAY_SECONDS": str(DAY_SECONDS)}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        defined = await agent.post("/api/sequences", OWN)
        assert defined.status_code == 201, defined.text
        body = {"name": "Ann", "email": "ann@example.com", "stage": "negotiating"}
        made = await carried_out(agent.http, "/api/clients", body)
        client = f"/api/clients/{made.json()['client_id']}"
        # The plan that runs keeps its steps.
        retired = await agent.http.delete(f"/api/sequences/{defined.json()['sequence_id']}")
        assert retired.status_code == 204
        await agent.until_sent(1)
        [sent, later] = await agent.rows(f"{client}/tasks")
        assert [(t["step"], t["status"]) for t in (sent, later)] == [
            ("Next day", "sent"),
            ("A year on", "pending"),
        ]
        asked = [str(entry["messages"]) for entry in providers.openai.ledger()]
        assert [GOAL in text for text in asked] == [True]

        assert (await agent.http.patch(client, json={"stage": "closed"})).status_code == 200

        async def is_offered() -> bool:
            plan = (await agent.http.get(f"{client}/plan")).json()
            return bool(plan["pending"] == 0 and plan["offered"] == "Past client")

        await until(is_offered, "the anniversaries are offered")
        assert (await agent.post(f"{client}/plan")).status_code == 201
        assert (await agent.http.patch(client, json={"notes": "Moved in."})).status_code == 200
        tasks = await agent.rows(f"{client}/tasks", status="pending")
        first = tasks[-5]
        assert first["step"] == "Year 1"
        now = await agent.http.patch(f"/api/tasks/{first['_id']}", json={"send_now": True})
        assert now.status_code == 200, now.text
        await agent.until_sent(2)
        assert running.errors() == []
    assert await different(kafka, mongodb, prefix) == []
