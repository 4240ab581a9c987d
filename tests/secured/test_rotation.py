"""Certificates and passwords are changed under the running services, and nothing is lost."""

import asyncio
import ssl
from pathlib import Path

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.mongo.client import connect
from ops.servers.mongodb_users import OPERATOR
from tests.journeys.agent_user import agent_at, until
from tests.secured.certificates import issue
from tests.secured.conftest import Secured


async def test_servers_get_new_certificates(secured: Secured) -> None:
    addresses = (secured.mongodb.host, secured.kafka.admin.bootstrap)
    before = await asyncio.to_thread(certificates, *addresses)
    await asyncio.to_thread(issue, secured.kafka.authority, secured.mongodb.folder / "server.pem")
    await asyncio.to_thread(issue, secured.kafka.authority, secured.kafka.certificate)
    async with connect(secured.mongodb.uri(OPERATOR)) as client:
        await client.admin.command("rotateCertificates", 1)
    admin = secured.kafka.admin.admin("rotation")
    await admin.start()
    setting = {"listener.name.sasl_ssl.ssl.keystore.location": str(secured.kafka.certificate)}
    answers = await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", setting)])
    await admin.close()

    async def are_new() -> bool:
        return not before & await asyncio.to_thread(certificates, *addresses)

    await until(are_new, "both present new certificates", answers)
    # Services that connect anew trust them: their authority is the same.
    await secured.running.stop("composer")
    await secured.running.start("composer")
    await send(secured, "certificates@example.com")


async def test_a_service_gets_new_passwords(secured: Secured) -> None:
    [crm] = secured.running.processes["crm"]
    old = secured.mongodb.uri("crm")
    await secured.kafka.set_password("crm", "new")
    async with connect(secured.mongodb.uri(OPERATOR)) as client:
        await client.admin.command("updateUser", "crm", pwd="new")
    # What is connected stays so.
    await send(secured, "between@example.com")
    file = Path(crm.environment["KAFKA_SASL_PASSWORD_FILE"])
    await asyncio.to_thread(file.write_text, "new")
    crm.environment = {**crm.environment, "MONGODB_URI": with_password(old, "new")}
    await secured.running.stop("crm")
    await secured.running.start("crm")
    await send(secured, "after@example.com")


async def send(secured: Secured, email: str) -> None:
    """Add a client, and wait until its five follow-ups are sent."""
    [url] = secured.running.api
    async with agent_at(url) as agent:
        client_id = await agent.add("Ann", email)
        await agent.until_sent(5, client_id=client_id)
    assert secured.running.errors() == []


def certificates(*addresses: str) -> set[str]:
    """Return the certificates that servers at these addresses present (PEM)."""
    hosts = [address.split(":") for address in addresses]
    return {ssl.get_server_certificate((host, int(port))) for host, port in hosts}


def with_password(uri: str, password: str) -> str:
    """Return the URI with another password."""
    begin, _, end = uri.partition("@")
    return f"{begin.rpartition(':')[0]}:{password}@{end}"
