"""An event in a foreign topic, or from another writer, is neither shown nor mailed."""

from email import message_from_bytes
from pathlib import Path
from uuid import UUID

from chassis.kafka import client as chassis_kafka
from contracts.crm import ClientUpdated
from contracts.services import Service
from ops.topics.rebuild import Rebuild
from tests.chassis.raw_records import all_of, put
from tests.contracts.samples import SAMPLES
from tests.journeys.agent_user import agent_at, until
from tests.servers import Server
from tests.system import AGENT, system

UPDATED = next(sample for sample in SAMPLES if isinstance(sample, ClientUpdated))
# How many of the two each service reads.
READ: dict[Service, int] = {"scheduler": 2, "mailer": 2, "gateway": 2}


def forged(client: str) -> ClientUpdated:
    """Return the client with the address of a stranger."""
    personal = UPDATED.personal.model_copy(update={"email": "stranger@evil.example"})
    changes = {"agent_id": AGENT, "client_id": UUID(client), "stage": "lead", "personal": personal}
    return UPDATED.model_copy(update=changes)


async def test_forged_events_are_neither_shown_nor_mailed(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    calendar = {"FOLLOWUP_DAY_SECONDS": "0.2", "SCHEDULER_POLL_SECONDS": "0.5"}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=calendar) as running,
        agent_at(running.api[0]) as agent,
        chassis_kafka.producer(kafka.servers, "test") as producer,
    ):
        client = await agent.add("Maria")
        await put(producer, f"{prefix}emails", forged(client), version=2)
        await put(producer, f"{prefix}clients", forged(client), version=2, source="anybody")
        await agent.until_sent(5, client_id=client)
        shown = (await agent.http.get(f"/api/clients/{client}")).json()
        assert shown["email"] == "maria@example.com"
        letters = [message_from_bytes(file.read_bytes()) for file in running.mail.glob("*.eml")]
        assert [("maria@example.com" in str(letter["To"])) for letter in letters] == [True] * 5

        async def quarantined() -> bool:
            found = {
                reader: len(await all_of(kafka.address, f"{prefix}{reader}.quarantine"))
                for reader in READ
            }
            return found == READ

        await until(quarantined, "its readers quarantine what is forged")
        reasons = sorted(
            dict(record.headers)["quarantine_reason"].decode()
            for record in await all_of(kafka.address, f"{prefix}gateway.quarantine")
        )
        assert reasons == [
            "ce_source: 'anybody' does not write to clients: only crm does",
            "ce_type: realtoros.ClientUpdated.v1 belongs to clients, not to emails",
        ]
        # The version that was forged is still free for the writer's own.
        changed = await agent.http.patch(f"/api/clients/{client}", json={"notes": "has a dog"})
        assert changed.status_code == 200, changed.text
        assert running.errors() == []
        # A replay passes over what the services have quarantined.
        for reader in READ:
            rebuild = Rebuild(reader, kafka.servers, prefix, mongodb.address)
            for compared in await rebuild.verify(lambda *_: None):
                assert compared.live == compared.replayed, compared
