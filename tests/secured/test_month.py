"""A month on a secured Kafka and MongoDB: each service with its own user and least rights."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.errors import TopicAuthorizationFailedError
from pymongo.errors import OperationFailure

from chassis.kafka import client as kafka_client
from chassis.kafka.start_check import check_login
from chassis.mongo.client import connect
from chassis.start.exit_codes import ExitCode, StartError
from tests.journeys.agent_user import agent_at, import_samples
from tests.secured.certificates import authority
from tests.secured.conftest import PREFIX, Secured
from tests.secured.kafka import password_of


async def test_a_month_of_25_leads_is_sent(secured: Secured) -> None:
    await import_samples(secured.running.api[0])
    async with agent_at(secured.running.api[0]) as agent:
        tasks = await agent.until_all_ended()
    assert {task["status"] for task in tasks} == {"sent"}
    assert secured.running.errors() == []


async def test_nobody_writes_where_only_another_may(secured: Secured) -> None:
    async with kafka_client.producer(secured.kafka.as_user("crm"), "test") as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(f"{PREFIX}emails", b"forged", partition=0)


async def test_nobody_reads_another_service_s_database(secured: Secured) -> None:
    async with connect(secured.mongodb.uri("crm")) as client:
        assert await client["realtoros_crm"]["clients"].find_one()
        with pytest.raises(OperationFailure, match="not authorized"):
            await client["realtoros_mailer"]["emails"].find_one()


async def test_a_wrong_password_is_refused_and_named(secured: Secured) -> None:
    wrong = replace(secured.kafka.as_user("crm"), password="hush")
    with pytest.raises(StartError, match=r"KAFKA_SASL_PASSWORD: .*login refused") as refused:
        await check_login(wrong)
    assert refused.value.code == ExitCode.REFUSED
    assert "hush" not in str(refused.value)


async def test_a_broker_of_another_authority_is_not_trusted(
    secured: Secured, tmp_path: Path
) -> None:
    other = await asyncio.to_thread(authority, tmp_path / "other.pem")
    with pytest.raises(StartError, match="KAFKA_SSL_CA_FILE: ") as refused:
        await check_login(replace(secured.kafka.as_user("crm"), ca_file=other.file))
    assert refused.value.code == ExitCode.REFUSED


async def test_operators_commands_log_in_too(secured: Secured) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": secured.kafka.admin.bootstrap,
        "KAFKA_TOPIC_PREFIX": PREFIX,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SSL_CA_FILE": str(secured.kafka.authority.file),
        "KAFKA_SASL_USERNAME": "realtoros-operators",
        "KAFKA_SASL_PASSWORD": password_of("operators"),
        "MONGODB_URI": secured.mongodb.server.address,
    }
    for command in (("doctor",), ("events", "export", "backup"), ("replay", "crm", "--verify")):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "ops.cli", *command),
            cwd=secured.running.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, f"{command}: {output.decode()}"
