"""Of which email a report is, as the gateway's view knows it; and what that costs MongoDB."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.mongo import client as mongo
from chassis.mongo.client import Database, Raw
from services.gateway.commands.report_placement import ReportPlacement
from services.gateway.commands.sendgrid_reports import Report, read_report
from services.gateway.read_models.documents import EmailLogDocument
from tests.servers import Server

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def email(message_id: str | None, **fields: Any) -> Raw:
    ids = {name: uuid4() for name in ("_id", "agent_id", "client_id", "task_id")}
    named = {"sendgrid_message_id": message_id} if message_id else {}
    return ids | {"to_email": "jo@mail.example"} | named | fields


EMAILS = [
    email("14c5d75ce93.dfd"),
    email("14c5d75ce93.dfd.64b469", sender_id=uuid4()),
    email("14c5d75ce93"),
    email(None),
    *(email(f"other.{number}") for number in range(50)),
]


@pytest.fixture(scope="module")
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database with emails and their indexes."""
    async with mongo.connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb_server.address, database.name, [EmailLogDocument])
        await database["email_logs"].insert_many(EMAILS)
        yield database
        await client.drop_database(database.name)


def report(**fields: Any) -> Report:
    read = read_report({"event": "click", "email": "jo@mail.example"} | fields, NOW)
    assert read
    return read


@pytest.mark.parametrize(
    ("named", "number"),
    [
        ({"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"}, 1),
        ({"sg_message_id": "14c5d75ce93.dfd.filter0001"}, 0),
        ({"sg_message_id": "14c5d75ce93.recvd-5745fdb788-l8l9x-1-5F8B0F1E-1B.0"}, 2),
        ({"sg_message_id": "14c5d75ce93dfd"}, None),
        ({"sg_message_id": "unknown", "smtp-id": "<14c5d75ce93.dfd@ismtpd>"}, 0),
        ({"email_id": str(EMAILS[3]["_id"])}, 3),
        ({"email_id": str(EMAILS[3]["_id"]), "sg_message_id": "14c5d75ce93"}, 3),
        ({"email_id": str(uuid4()), "sg_message_id": "14c5d75ce93"}, 2),
        ({"sg_message_id": "." * 1000}, None),
        ({}, None),
    ],
)
async def test_an_email_is_found_by_its_id_or_by_the_longest_beginning_of_a_message_id(
    database: Database, named: dict[str, Any], number: int | None
) -> None:
    known = replace(report(), ids=None)
    placed, unknown = await ReportPlacement(database).place([report(**named), known])
    if number is None:
        assert (placed, len(unknown)) == ([], 2)
        return
    [found] = placed
    assert unknown == [known]
    expected = EMAILS[number]
    agent = expected.get("sender_id") or expected["agent_id"]
    assert (found.ids.agent_id, found.ids.email_id) == (agent, expected["_id"])
    assert (found.ids.client_id, found.ids.followup_id) == (
        expected["client_id"],
        expected["task_id"],
    )


async def test_an_address_that_a_report_leaves_out_is_the_email_s(database: Database) -> None:
    ids = {"agent_id": str(uuid4()), "client_id": str(uuid4()), "followup_id": str(uuid4())}
    nameless = report(email=None, email_id=str(EMAILS[0]["_id"]), send_attempt="2", **ids)
    [found], _ = await ReportPlacement(database).place([nameless])
    assert found.email == "jo@mail.example"
    # Its own ids count: a client may have been reassigned since.
    assert found.ids.agent_id == UUID(ids["agent_id"])
    assert found.report.attempt == 2


async def test_the_look_up_scans_no_collection(database: Database) -> None:
    await database.command("profile", 2)
    await ReportPlacement(database).place(
        [report(sg_message_id="14c5d75ce93.dfd.filter"), report(email_id=str(uuid4()))]
    )
    await database.command("profile", 0)
    looked = {"op": "query", "ns": f"{database.name}.email_logs"}
    [query] = await database["system.profile"].find(looked).to_list()
    assert "COLLSCAN" not in query["planSummary"], query["planSummary"]
    assert query["docsExamined"] < len(EMAILS)
