"""The three processes of the floor, with plain clients."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from chassis.calls.call_limit import CallLimit
from chassis.kafka.client import producer
from chassis.kafka.consumer import PacedConsumer
from chassis.kafka.servers import KafkaServers
from chassis.mongo.client import connect
from contracts.composer import EmailComposed, Letter
from contracts.mailer import email_id
from contracts.message import Event
from contracts.scheduler import FollowupDue
from services.composer.writer import CompositionRequest
from services.composer.writers.openai_writer import OpenAIWriter
from services.mailer.transports.headers import Sender
from services.mailer.transports.sendgrid import SendGridTransport
from services.mailer.transports.transport import OutgoingLetter

DATABASE, ITEMS, EVENTS = "bench_floor", "items", "events"
FOLLOWUPS, DRAFTS, SENT = "bench-floor.followups", "bench-floor.drafts", "bench-floor.sent"
PARTITIONS = 12
IN_FLIGHT = 256
TIMEOUT = 30.0
LIMIT = CallLimit(IN_FLIGHT, IN_FLIGHT)

Handle = Callable[[bytes], Awaitable[Any]]


class Clients:
    """The MongoDB and Kafka clients of one process."""

    def __init__(self, kafka: AIOKafkaProducer, database: Any) -> None:
        self.database = database
        self._kafka = kafka
        self._events = database[EVENTS]

    async def publish(self, topic: str, event: Event, extra: str | None = None) -> None:
        """Insert the event, acknowledged by a majority's journal, then produce it."""
        data = event.to_json()
        await self._events.insert_one({"type": event.wire_name, "data": data, "extra": extra})
        await self._kafka.send_and_wait(topic, data.encode(), key=str(event.key).encode())


async def schedule(clients: Clients) -> None:
    """Publish each item as a due follow-up."""

    async def items() -> AsyncIterator[bytes]:
        async for item in clients.database[ITEMS].find().sort("due_at", 1):
            yield item["data"].encode()

    async def handle(data: bytes) -> None:
        await clients.publish(FOLLOWUPS, FollowupDue.model_validate_json(data))

    _print_line("ready")
    await asyncio.to_thread(sys.stdin.readline)
    await _work(items(), handle)


async def compose(clients: Clients) -> None:
    """Compose each follow-up."""
    writer = OpenAIWriter("bench", os.environ["BENCH_OPENAI"], "gpt-4o-mini", TIMEOUT, LIMIT)

    async def handle(data: bytes) -> None:
        due = FollowupDue.model_validate_json(data)
        client, agent = due.personal.client, due.personal.agent
        written = await writer.write(
            CompositionRequest(due.followup_type, due.stage, due.property_type, due.personal)
        )
        composition = written.composition
        letter = Letter(
            to_name=client.name,
            to_email=client.email,
            from_name=agent.name,
            reply_to=agent.email,
            subject=composition.subject,
            body=composition.body,
        )
        composed = EmailComposed.of(
            due, written_by=writer.name, composed_at=due.due_at, personal=letter
        )
        await clients.publish(DRAFTS, composed)

    await _work(_records(FOLLOWUPS), handle)


async def send(clients: Clients) -> None:
    """Send each email."""
    transport = SendGridTransport(
        "bench", os.environ["BENCH_SENDGRID"], Sender("followups@realtoros.example"), TIMEOUT, LIMIT
    )

    async def handle(data: bytes) -> None:
        composed = EmailComposed.model_validate_json(data)
        email = email_id(composed.followup_id)
        about = {"email_id": str(email), "followup_id": str(composed.followup_id), "attempt": "1"}
        message_id = await transport.send(OutgoingLetter(email, 1, composed.personal, about))
        await clients.publish(SENT, composed, message_id)

    await _work(_records(DRAFTS), handle)


ROLES = {"scheduler": schedule, "composer": compose, "mailer": send}


async def _records(topic: str) -> AsyncIterator[bytes]:
    hold = int(os.environ["BENCH_HOLD_MS"])
    kind = partial(PacedConsumer, empty_hold_ms=hold) if hold else AIOKafkaConsumer
    async with kind(
        topic,
        bootstrap_servers=os.environ["BENCH_KAFKA_ADDRESS"],
        group_id=f"bench-floor-{topic}",
        auto_offset_reset="earliest",
    ) as consumer:
        while not consumer.assignment():
            await asyncio.sleep(0.05)
        _print_line("ready")
        async for record in consumer:
            yield record.value


async def _work(source: AsyncIterator[bytes], handle: Handle) -> None:
    """Handle BENCH_COUNT items, IN_FLIGHT at a time; then print "done" and wait for SIGTERM."""
    slots = asyncio.Semaphore(IN_FLIGHT)
    count = int(os.environ["BENCH_COUNT"])

    async def one(data: bytes) -> None:
        try:
            await handle(data)
        finally:
            slots.release()

    async with asyncio.TaskGroup() as group:
        async for data in source:
            await slots.acquire()
            group.create_task(one(data))
            count -= 1
            if not count:
                break
    _print_line("done")
    await asyncio.Event().wait()


def _print_line(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def run_role(role: str) -> None:
    """Run the role until SIGTERM."""

    async def main() -> None:
        servers = KafkaServers(os.environ["BENCH_KAFKA_ADDRESS"])
        async with (
            producer(servers, f"bench-floor-{role}") as kafka,
            connect(os.environ["BENCH_MONGODB"]) as mongodb,
        ):
            await ROLES[role](Clients(kafka, mongodb[DATABASE]))

    uvloop.run(main())
