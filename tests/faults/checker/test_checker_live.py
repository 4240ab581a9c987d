"""The checker on a real run of the sample leads: no anomaly."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ops.api_client.client import ApiClient
from ops.api_client.lead_import import import_leads
from tests.faults.checker.checker import check
from tests.faults.checker.history import Acknowledged, read_history
from tests.faults.checker.settling import until_settled
from tests.journeys.agent_user import FOLLOWUPS, LEADS, agent_at
from tests.providers.running import provider
from tests.servers import Server
from tests.system import KEY, provider_settings, system


async def test_a_calm_run_has_no_anomaly(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    async with (
        provider("openai", tmp_path) as openai,
        provider("sendgrid", tmp_path) as sendgrid,
    ):
        settings = provider_settings(openai, sendgrid) | {"FOLLOWUP_DAY_SECONDS": "0.2"}
        async with system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running:
            async with ApiClient(running.api[0], KEY) as api:
                await import_leads(api, LEADS)
            acknowledged = Acknowledged()
            async with agent_at(running.api[0]) as agent:
                now = datetime.now(UTC)
                clients = await agent.rows("/api/clients")
                acknowledged.clients.update({client["_id"]: now for client in clients})
            read = partial(
                read_history,
                kafka.address,
                prefix,
                mongodb.address,
                sendgrid.ledger_file,
                acknowledged,
                embedded=kafka.embedded,
            )
            history = await until_settled(read)
    verdict = check(history)
    assert verdict.anomalies == (), str(verdict)
    assert verdict.ends == {"sent": FOLLOWUPS}
    assert len(acknowledged.clients) == len(LEADS)
