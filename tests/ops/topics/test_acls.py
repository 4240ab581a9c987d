"""The ACLs are what the services use: no less, or one fails; no more, or one may forge."""

import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import COMMANDS, EVENTS, OWNERS, QUARANTINES, TOPICS
from contracts.services import SERVICES
from ops.cli.main import app
from ops.topics.acls import Acl, acls
from tests.chassis.raw_records import all_of, put
from tests.contracts.samples import SAMPLES
from tests.journeys.agent_user import agent_at, until
from tests.ops.topics.kafka_use import Use, uses_in
from tests.servers import Server
from tests.system import system

KAFKA_USE = (sys.executable, "-P", "-m", "tests.ops.topics.kafka_use")
# What a run without failures does not write.
SELDOM = {"alerts", "notices", "drafts.commands", "emails.commands"}


def allowed(service: str, prefix: str) -> set[Use]:
    """Return what the service may do, without describing."""
    return {
        (operation, acl.resource, acl.name)
        for acl in acls(prefix)
        if acl.principal == f"realtoros-{service}"
        for operation in acl.operations
        if operation != "Describe"
    }


async def test_what_services_use_is_what_they_are_allowed(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    calendar = {"FOLLOWUP_DAY_SECONDS": "0.05", "SCHEDULER_POLL_SECONDS": "0.5"}
    async with (
        system(
            tmp_path, kafka, mongodb, prefix=prefix, environment=calendar, command=KAFKA_USE
        ) as running,
        agent_at(running.api[0]) as agent,
        chassis_kafka.producer(kafka.servers, "test") as producer,
    ):
        client = await agent.add("Maria")
        await agent.until_sent(5, client_id=client)
        paused = await agent.post(f"/api/clients/{client}/plan/pause")
        assert paused.status_code < 500, paused.text
        renamed = await agent.http.patch("/api/agents/me", json={"name": "Dana"})
        assert renamed.status_code == 200, renamed.text
        # Every service reads one of these.
        for topic in (*EVENTS, *COMMANDS):
            await producer.send_and_wait(prefix + topic.name, value=b"{not what it should be")
        # And every owner replies, if only to refuse.
        for topic in COMMANDS:
            command = next(sample for sample in SAMPLES if isinstance(sample, topic.types))
            await put(producer, prefix + topic.name, command)

        async def quarantined() -> bool:
            response = await agent.http.get("/api/admin/quarantine")
            names = [entry["name"].partition("/")[0] for entry in response.json()]
            return set(names) == set(SERVICES)

        await until(quarantined, "every service has a record in quarantine")

        async def replied() -> bool:
            replies = await all_of(kafka.address, f"{prefix}replies")
            sources = {cloudevents.read(reply.headers).source for reply in replies}
            return sources == set(OWNERS)

        await until(replied, "every owner has replied")
        # At its start a service reads what it has published.
        await running.stop(*SERVICES)
        await running.start(*SERVICES)
        for service in SERVICES:
            used = {use for process in running.processes[service] for use in uses_in(process.log)}
            assert used <= allowed(service, prefix), service
            unused = allowed(service, prefix) - used
            seldom = {prefix + name for name in SELDOM}
            assert {use for use in unused if use[2] not in seldom} == set(), service


def test_an_event_topic_is_written_by_its_writer_and_operators_alone() -> None:
    may_write = {
        topic.name: {
            acl.principal.removeprefix("realtoros-")
            for acl in acls("")
            if acl.name == topic.name and acl.resource == "topic" and "Write" in acl.operations
        }
        for topic in TOPICS
    }
    for topic in (*EVENTS, *COMMANDS, *QUARANTINES):
        assert may_write[topic.name] == {topic.writer, "operators"}, topic.name
    assert may_write["replies"] == set(OWNERS)
    for service in SERVICES:
        assert may_write[f"{service}.retries"] == {"operators"}


def test_operators_may_do_what_the_command_line_does() -> None:
    found = [acl for acl in acls("my.") if acl.principal == "realtoros-operators"]
    assert {acl.name for acl in found if acl.resource == "topic"} == {
        f"my.{topic.name}" for topic in TOPICS
    }
    assert all({"Create", "Describe", "Read"} <= {*a.operations} for a in found[: len(TOPICS)])
    assert {acl.name for acl in found if acl.resource == "group"} == {
        f"my.{service}" for service in SERVICES
    }


def test_a_line_has_the_arguments_of_kafka_acls() -> None:
    acl = Acl("realtoros-crm", ("Describe", "Write"), "topic", "realtoros.clients")
    assert acl.arguments == (
        "--add --allow-principal User:realtoros-crm --operation Describe --operation Write"
        " --topic realtoros.clients"
    )


def test_the_command_prints_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_TOPIC_PREFIX", "my.")
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    printed = CliRunner().invoke(app, ["topics", "acls"]).stdout.splitlines()
    assert printed == [acl.arguments for acl in acls("my.")]
    assert all(shlex.split(line)[-1].startswith("my.") for line in printed)
