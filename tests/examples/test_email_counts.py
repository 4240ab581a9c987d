"""The example, run as a process, counts real records correctly, repeated ones included."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from chassis.kafka.client import apply_topics, producer
from contracts.composer import Letter
from contracts.mailer import (
    AddressSuppressed,
    EmailFailed,
    EmailOpened,
    EmailQueued,
    EmailSent,
    SendStarted,
    SuppressedAddress,
    suppression_id,
)
from tests.chassis.raw_records import put
from tests.contracts.samples import LATER, LETTER, NOON
from tests.servers import Server

EXAMPLE = Path(__file__).parents[2] / "examples/email_counts.py"
DANA, ERIN = sorted((uuid4(), uuid4()), key=str)


class EmailEvents:
    """The events of one email, each with its version in the stream."""

    def __init__(self, agent: UUID, letter: Letter = LETTER) -> None:
        self.events: list[tuple[int, Any]] = []
        self._about: dict[str, Any] = {
            "agent_id": agent,
            "client_id": uuid4(),
            "email_id": uuid4(),
            "followup_id": uuid4(),
        }
        self._letter = letter

    def _append(self, type_: Any, **fields: Any) -> "EmailEvents":
        self.events.append((len(self.events) + 1, type_(**self._about, **fields)))
        return self

    def started(self, attempt: int = 1) -> "EmailEvents":
        self._append(EmailQueued, written_by="templates", queued_at=NOON, personal=self._letter)
        return self._append(SendStarted, attempt=attempt, started_at=NOON, give_up_at=LATER)

    def sent(self, attempt: int = 1) -> "EmailEvents":
        return self._append(EmailSent, attempt=attempt, sent_at=NOON)

    def failed(self) -> "EmailEvents":
        return self._append(EmailFailed, attempts=1, error="400", failed_at=NOON)

    def opened(self) -> "EmailEvents":
        return self._append(EmailOpened, at=LATER)


async def counted(kafka: Server, topic: str) -> list[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLE,
        topic,
        env=os.environ | {"KAFKA_BOOTSTRAP_SERVERS": kafka.address},
        cwd=EXAMPLE.parent,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode().splitlines()


async def test_emails_are_counted_once_whatever_is_repeated_or_resent(
    kafka: Server, prefix: str
) -> None:
    await apply_topics(kafka.servers, prefix)
    topic = f"{prefix}emails"
    resent = EmailEvents(DANA).started().failed().started(attempt=2).sent(attempt=2).opened()
    emails = [
        EmailEvents(DANA).started().sent().opened().opened(),
        EmailEvents(DANA).started().sent(),
        EmailEvents(DANA).started().failed(),
        resent,
        EmailEvents(ERIN).started().failed().started(attempt=2).failed(),
        EmailEvents(ERIN).started().failed().started(attempt=2),
        EmailEvents(ERIN).started(),
    ]
    suppressed = AddressSuppressed(
        agent_id=ERIN,
        suppression_id=suppression_id(ERIN, LETTER.to_email),
        reason="unsubscribed",
        suppressed_at=NOON,
        personal=SuppressedAddress(email=LETTER.to_email.casefold()),
    )
    async with producer(kafka.servers, "test") as kafka_producer:
        for email in emails:
            for version, event in email.events:
                await put(kafka_producer, topic, event, version=version)
        # Published again from the third record on, as after a crash of the relay.
        for version, event in resent.events[2:4]:
            await put(kafka_producer, topic, event, version=version)
        await put(kafka_producer, topic, resent.events[2][1], version=3)
        await put(kafka_producer, topic, suppressed, version=1)
        # Somebody else writes that an email was sent.
        [*_, (version, event)] = EmailEvents(ERIN).started().sent().events
        await put(kafka_producer, topic, event, version=version, source="anybody")

    assert await counted(kafka, topic) == [
        f"{DANA} sent=3 opened=2 failed=1",
        f"{ERIN} sent=0 opened=0 failed=1",
    ]


async def test_an_empty_topic_gives_no_line(kafka: Server, prefix: str) -> None:
    await apply_topics(kafka.servers, prefix)
    assert await counted(kafka, f"{prefix}emails") == []
