"""How soon all sending stops: two mailers, 1,000 queued emails, paused and resumed repeatedly."""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx2
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.table import Table

from chassis.kafka.client import producer
from contracts.catalogue import topic_of
from contracts.composer import EmailComposed, Letter
from tests import servers
from tests.bench.results import InvalidRun, seconds_between
from tests.chassis.raw_records import put
from tests.providers.running import FakeProvider, provider
from tests.system import AGENT, PUBLIC_URL, logged_in, provider_settings, system

QUEUED, ROUNDS, SENT_EACH = 1000, 20, 30
TARGET_SECONDS, BOUND_SECONDS = 1.0, 5.0
_PREFIX = "bench."
_DELAY_MS = 50
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 120


async def pauses(console: Console, folder: Path) -> None:
    """Print for each pause when the last call began, and when it was confirmed.

    Raises InvalidRun when a call began after the confirmation, or an email was lost or failed.
    """
    async with (
        contextlib.AsyncExitStack() as stack,
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        provider("openai", folder) as openai,
        provider("sendgrid", folder, delay_ms=_DELAY_MS) as sendgrid,
        system(
            folder / "services",
            kafka,
            mongodb,
            prefix=_PREFIX,
            services=("crm", "mailer", "gateway"),
            replicas=2,
            environment=provider_settings(openai, sendgrid) | {"SCHEDULER_POLL_SECONDS": "0.5"},
        ) as running,
        httpx2.AsyncClient(
            base_url=running.api[0], trust_env=False, headers=logged_in(AGENT, PUBLIC_URL)
        ) as admin,
    ):
        await _turn(admin, "pause", "paused")
        kafka_producer = await stack.enter_async_context(producer(kafka.servers, "bench"))
        table = Table("pause", "accepted so far", "last call began after", "confirmed after")
        worst, queued = 0.0, 0
        for number in range(1, ROUNDS + 1):
            before = len(sendgrid.ledger())
            # As many wait at each pause, but for those that are sent just now.
            await _queue(kafka_producer, QUEUED + before - queued)
            queued = QUEUED + before
            await _turn(admin, "resume", "active")
            await _until_accepted(sendgrid, before + SENT_EACH)
            asked = datetime.now(UTC)
            await _turn(admin, "pause", "paused")
            confirmed = datetime.now(UTC)
            # Whoever calls in spite of the confirmation has the time to do it.
            await asyncio.sleep(TARGET_SECONDS)
            began = [datetime.fromisoformat(entry["at"]) for entry in sendgrid.ledger()]
            late = seconds_between(asked, max(began))
            if max(began) > confirmed:
                raise InvalidRun("a call began after the pause had been confirmed")
            worst = max(worst, late)
            table.add_row(
                str(number),
                str(len(began)),
                f"{late:.2f} s",
                f"{seconds_between(asked, confirmed):.2f} s",
            )
        await _turn(admin, "resume", "active")
        await _until_accepted(sendgrid, queued)
        errors = running.errors()
    followups = {entry["custom_args"]["followup_id"] for entry in sendgrid.ledger()}
    twice = len(sendgrid.ledger()) - len(followups)
    if len(followups) != queued or twice or errors:
        raise InvalidRun(f"{len(followups)} of {queued} sent, {twice} twice, errors: {errors}")
    console.print(table)
    console.print(f"the last call began at most {worst:.2f} s after a pause, in {ROUNDS} pauses")
    if worst > TARGET_SECONDS:
        console.print(
            f"MISSED: the target is {TARGET_SECONDS:.0f} s, the bound {BOUND_SECONDS:.0f} s"
        )


async def _turn(admin: httpx2.AsyncClient, action: str, state: str) -> None:
    """Pause or resume, and wait for the state."""
    (await admin.post(f"/api/admin/sending/{action}")).raise_for_status()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while (await admin.get("/api/admin/sending")).json()["state"] != state:
            await asyncio.sleep(_LOOK_SECONDS)


async def _queue(kafka_producer: AIOKafkaProducer, number: int) -> None:
    """Let mailer have so many more emails to send."""
    topic = _PREFIX + topic_of(EmailComposed)
    await asyncio.gather(*(put(kafka_producer, topic, _letter(), version=1) for _ in range(number)))


async def _until_accepted(sendgrid: FakeProvider, number: int) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(sendgrid.ledger()) < number:
            await asyncio.sleep(_LOOK_SECONDS)


def _letter() -> EmailComposed:
    client = uuid4()
    return EmailComposed(
        agent_id=AGENT,
        client_id=client,
        followup_id=uuid4(),
        written_by="templates",
        composed_at=datetime.now(UTC),
        personal=Letter(
            to_name="Maria Lopez",
            to_email=f"{client}@example.com",
            from_name="Dana Reed",
            subject="Hello",
            body="Hi Maria,\n\nhow is the search going?",
        ),
    )
