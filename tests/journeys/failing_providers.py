"""An agent of a system whose providers can be ordered to fail, and what the admin is told."""

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
    # Only Day 1 comes while the test runs.
    "FOLLOWUP_DAY_SECONDS": "2",
    "RETRY_BASE_SECONDS": "0.2",
    "CALL_TIMEOUT_SECONDS": "2",
    "MAILER_RECONCILE_SECONDS": "3",
    "ADMIN_EMAIL": ADMIN,
    "PUBLIC_URL": "https://realtoros.example",
}


@dataclass(frozen=True)
class Scene:
    """One agent of a running system, at providers that can be ordered to fail."""

    agent: Agent
    providers: Providers
    webhook: Webhook

    def mails(self, task: Row) -> list[Row]:
        """Give what SendGrid accepted of this follow-up."""
        ledger = self.providers.sendgrid.ledger()
        return [entry for entry in ledger if entry["custom_args"].get("followup_id") == task["_id"]]

    def alerts(self, task: Row) -> list[str]:
        """Give the texts that the admin got about the follow-up."""
        told = [entry for entry in self.providers.sendgrid.ledger() if entry["to"] == [ADMIN]]
        texts = [entry["request"]["content"][0]["value"] for entry in told]
        return [text for text in texts if task["_id"] in text]

    async def behave(self) -> None:
        """Let the providers do what they are asked."""
        await self.providers.openai.behave()
        await self.providers.sendgrid.behave()

    async def report(self, *events: Any) -> int:
        """Post a signed report; give the status of the answer."""
        body, headers = self.webhook.request(events)
        return (await self.agent.http.post(PATH, content=body, headers=headers)).status_code

    async def alerted(self, task: Row) -> str:
        """Return what the admin was told about the follow-up, once he is."""

        async def told() -> bool:
            return bool(self.alerts(task))

        await until(told, "the admin is told")
        [text] = self.alerts(task)
        return text


@asynccontextmanager
async def scene(
    folder: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers, **more: str
) -> AsyncIterator[Scene]:
    webhook = Webhook()
    settings = providers.settings | SETTINGS | more
    settings["SENDGRID_WEBHOOK_PUBLIC_KEY"] = webhook.public_key
    async with (
        system(folder, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        here = Scene(agent, providers, webhook)
        try:
            yield here
        finally:
            await here.behave()
