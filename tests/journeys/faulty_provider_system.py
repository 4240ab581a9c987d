"""A system with an agent, with providers that can be made to fail, and the admin's alerts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journeys.agent_user import Agent, Row, agent_at, until
from tests.journeys.conftest import Providers
from tests.providers.webhook import PATH, Webhook
from tests.servers import Server
from tests.system import system

ADMIN = "admin@realtoros.example"
SETTINGS = {
    # Faults say of which client: on a slow machine Day 3 of another may fall due meanwhile.
    "FOLLOWUP_DAY_SECONDS": "2",
    "RETRY_BASE_SECONDS": "0.2",
    "CALL_TIMEOUT_SECONDS": "2",
    "MAILER_RECONCILE_SECONDS": "3",
    "ADMIN_EMAIL": ADMIN,
    "PUBLIC_URL": "https://realtoros.example",
}


@dataclass(frozen=True)
class FaultyProviderSystem:
    """An agent of a running system, and its providers."""

    agent: Agent
    providers: Providers
    webhook: Webhook

    def mails(self, task: Row) -> list[Row]:
        """Return what SendGrid accepted for this follow-up."""
        ledger = self.providers.sendgrid.ledger()
        return [entry for entry in ledger if entry["custom_args"].get("followup_id") == task["_id"]]

    def alerts(self, task: Row) -> list[str]:
        """Return the texts of the admin's alerts about the follow-up."""
        alerts = [entry for entry in self.providers.sendgrid.ledger() if entry["to"] == [ADMIN]]
        texts = [entry["request"]["content"][0]["value"] for entry in alerts]
        return [text for text in texts if task["_id"] in text]

    async def clear_faults(self) -> None:
        """Clear the faults of both providers."""
        await self.providers.openai.clear_faults()
        await self.providers.sendgrid.clear_faults()

    async def report(self, *events: Any) -> int:
        """Post a signed report; return the response's status."""
        body, headers = self.webhook.request(events)
        return (await self.agent.http.post(PATH, content=body, headers=headers)).status_code

    async def alerted(self, task: Row) -> str:
        """Wait for the admin's alert about the follow-up; return its text."""

        async def has_alert() -> bool:
            return bool(self.alerts(task))

        await until(has_alert, "the admin is alerted")
        [text] = self.alerts(task)
        return text


@asynccontextmanager
async def faulty_provider_system(
    folder: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers, **settings: str
) -> AsyncIterator[FaultyProviderSystem]:
    """Run all services with these providers; clear their faults afterwards."""
    webhook = Webhook()
    environment = providers.settings | SETTINGS | settings
    environment["SENDGRID_WEBHOOK_PUBLIC_KEY"] = webhook.public_key
    async with (
        system(folder, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        faulty = FaultyProviderSystem(agent, providers, webhook)
        try:
            yield faulty
        finally:
            await faulty.clear_faults()
