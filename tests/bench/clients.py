"""The clients of a benchmark: created by commands, planned before the first date."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from chassis.kafka.client import producer
from chassis.kafka.servers import KafkaServers
from chassis.mongo.client import Raw, database_name
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.crm import AgentProfile, CreateClient, NewClientDetails, RegisterAgent
from contracts.message import Command
from tests.bench.results import InvalidRun

AGENT = UUID("00000000-0000-4000-8000-00000000beef")
FOLLOWUPS_EACH = 5
PREFIX = "bench."
_LOOK_SECONDS = 0.5
_MARGIN = timedelta(seconds=2)


async def create(bootstrap: str, count: int) -> None:
    """Produce one RegisterAgent and `count` CreateClient."""
    async with producer(KafkaServers(bootstrap), "bench") as kafka:
        await _register(kafka)
        await asyncio.gather(*(_send(kafka, new_client(number)) for number in range(count)))


async def create_steadily(bootstrap: str, count: int, rate: float) -> None:
    """Produce one RegisterAgent and `count` CreateClient, `rate` a second."""
    async with producer(KafkaServers(bootstrap), "bench") as kafka:
        await _register(kafka)
        started = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0, started + number / rate - time.monotonic()))
            await _send(kafka, new_client(number))


async def planned(mongodb: AsyncMongoClient[Raw], count: int, day: timedelta) -> datetime:
    """Wait until every service has all clients and plans; return when the first falls due.

    Raises InvalidRun when the first date is so near that planning would be measured, too.
    """
    started = datetime.now(UTC)
    while late := await _late(mongodb, count):
        if datetime.now(UTC) > started + day:
            raise InvalidRun(f"planning took longer than a day of {day}: {late}")
        await asyncio.sleep(_LOOK_SECONDS)
    plan = await mongodb["realtoros_scheduler"]["plans"].find_one(sort=[("state.due_at", 1)])
    first: datetime = plan["state"]["due_at"] if plan else started
    if datetime.now(UTC) + _MARGIN > first:
        raise InvalidRun(f"the first date came before planning had ended: take a day over {day}")
    return first


async def _late(mongodb: AsyncMongoClient[Raw], count: int) -> dict[str, int]:
    """Return the document counts of the collections that are not complete yet."""
    wanted = {
        ("scheduler", "plans"): count,
        ("scheduler", "clients"): count,
        ("mailer", "positions"): count,
        ("gateway", "clients"): count,
        ("gateway", "tasks"): count * FOLLOWUPS_EACH,
    }
    late = {}
    for (service, collection), number in wanted.items():
        held = await mongodb[database_name(service)][collection].estimated_document_count()
        if held < number:
            late[f"{service}.{collection}"] = held
    return late


async def _register(kafka: AIOKafkaProducer) -> None:
    profile = AgentProfile(
        name="Alex Morgan",
        email="alex@agency.example",
        title="Realtor",
        company="Morgan Homes",
        phone="+1 555 0100",
    )
    await _send(kafka, RegisterAgent(agent_id=AGENT, personal=profile))


def new_client(number: int) -> CreateClient:
    """Return the command that creates one of the clients."""
    return CreateClient(
        agent_id=AGENT,
        client_id=uuid4(),
        stage="lead",
        property_type="residential",
        personal=NewClientDetails(
            name=f"Robin Client {number}",
            email=f"robin.{number}@clients.example",
            phone="+1 555 0199",
            property_address=f"{number} Maple Street, Springfield",
            notes="Looks for three bedrooms near a school; has a dog; prefers to be called.",
            custom_fields={"source": "open house", "budget": "medium"},
        ),
    )


async def _send(kafka: AIOKafkaProducer, command: Command) -> None:
    id_ = uuid4()
    envelope = cloudevents.about(
        command, id=id_, source="gateway", time=datetime.now(UTC), correlation=id_
    )
    await kafka.send_and_wait(
        PREFIX + topic_of(type(command)),
        value=command.to_json().encode(),
        key=str(command.key).encode(),
        headers=cloudevents.write(envelope),
    )
