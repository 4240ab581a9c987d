"""A reply counts only from the owner of the command."""

import asyncio
from pathlib import Path
from uuid import UUID, uuid4

import httpx2

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import REPLIES
from contracts.crm import ClientDeleted
from contracts.message import Message
from contracts.replies import CommandAccepted, CommandRejected
from tests.chassis.raw_records import all_of, send
from tests.chassis.waiting import until
from tests.contracts.samples import NOON
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, system


async def test_no_other_writer_answers_for_the_owner(
    kafka: Server, mongodb: Server, prefix: str, tmp_path: Path
) -> None:
    """Crm does not run, so that the only replies are forged."""
    services = ("gateway",)
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, services=services) as running,
        httpx2.AsyncClient(
            base_url=running.api[0], timeout=30, trust_env=False, headers=AUTHORIZED
        ) as http,
        chassis_kafka.producer(kafka.servers, "test") as producer,
    ):

        async def reply(message: Message, command: UUID, source: str) -> None:
            envelope = cloudevents.about(
                message, id=uuid4(), source=source, time=NOON, correlation=command, cause=command
            )
            value = message.model_dump_json().encode()
            headers = cloudevents.write(envelope)
            await send(producer, prefix + REPLIES.name, b"key", headers, value)

        body = {"name": "Maria", "email": "maria@mail.example"}
        answer = asyncio.create_task(http.post("/api/clients", json=body))

        async def sent() -> bool:
            return bool(await all_of(kafka.address, f"{prefix}clients.commands"))

        await until(sent)
        [record] = await all_of(kafka.address, f"{prefix}clients.commands")
        command = cloudevents.read(record.headers)
        rejected = CommandRejected(
            agent_id=AGENT, about=command.subject, kind="conflict", reason="no"
        )
        await reply(rejected, command.id, "anybody")
        await reply(rejected, command.id, "mailer")
        gone = ClientDeleted(
            agent_id=AGENT, client_id=UUID(command.subject.removeprefix("client-")), deleted_at=NOON
        )
        await reply(gone, command.id, "crm")
        pending = await answer
        assert pending.status_code == 202, pending.text
        url = pending.headers["Location"]
        assert (await http.get(url)).json()["status"] == "pending"
        # The owner's own still counts.
        await reply(
            CommandAccepted(agent_id=AGENT, about=command.subject, version=1), command.id, "crm"
        )

        async def accepted() -> bool:
            return bool((await http.get(url)).json()["status"] == "accepted")

        await until(accepted)
