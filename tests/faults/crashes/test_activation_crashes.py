"""The gateway is killed while it deactivates an agent: crm is told all the same, and once."""

from pathlib import Path

import httpx2
import pytest

from chassis.mongo.client import database_name
from contracts import cloudevents
from tests.chassis.raw_records import all_of
from tests.faults.crashes.private_system import PrivateSystem, private_system
from tests.journeys.agent_user import until
from tests.servers import Server
from tests.services.gateway.users import PASSWORD
from tests.system import AGENT, PUBLIC_URL, logged_in

ADMIN = logged_in(AGENT, PUBLIC_URL)

POINTS = (
    "change activation, after",
    "command DeactivateAgent, before",
    "command DeactivateAgent, after",
    "settle activation, before",
)


async def published(system: PrivateSystem) -> list[str]:
    """Return the types of the agent events, registrations aside."""
    records = await all_of(system.kafka.address, f"{system.running.prefix}agents")
    types = [cloudevents.read(record.headers).type.split(".")[1] for record in records]
    return [type_ for type_ in types if type_ != "AgentRegistered"]


@pytest.mark.parametrize("point", POINTS)
async def test_a_deactivation_is_not_lost_wherever_the_gateway_is_killed(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, point: str
) -> None:
    async with private_system(
        tmp_path, kafka, mongodb, prefix, {}, {"gateway": {"CRASH_AT": point}}, ("crm", "gateway")
    ) as system:
        new = {"email": "ana@agents.example.com", "password": PASSWORD, "name": "Ana"}
        await system.http.post("/api/admin/agents", json=new, headers=ADMIN)
        credentials = {"email": new["email"], "password": PASSWORD}
        tokens = await system.http.post("/api/auth/login", json=credentials)
        token = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
        ana = (await system.http.get("/api/agents/me", headers=token)).json()["id"]
        path = f"/api/admin/agents/{ana}"
        with pytest.raises(httpx2.TransportError):
            await system.http.patch(path, json={"active": False}, headers=ADMIN)
        accounts = system.store[database_name("gateway")]["accounts"]

        async def settled() -> bool:
            found = await accounts.find_one({"email": new["email"]})
            return found is not None and "activation_unsettled" not in found

        await until(settled, "crm has been told")
        assert await published(system) == ["AgentDeactivated"]
        await system.running.ready("gateway")
        response = await system.http.get("/api/agents/me", headers=token)
        assert response.status_code == 401
        reactivated = await system.http.patch(path, json={"active": True}, headers=ADMIN)
        assert reactivated.json()["active"] is True
        assert await published(system) == ["AgentDeactivated", "AgentReactivated"]
