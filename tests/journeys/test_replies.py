"""A client answers by email: the plan pauses, the agent gets the answer, and it is not kept."""

from email.message import EmailMessage
from pathlib import Path

import httpx2
import pytest
from pymongo import AsyncMongoClient

from tests.chassis.raw_records import all_of
from tests.journeys.agent_user import Row, agent_at, until
from tests.journeys.conftest import Providers
from tests.ops.topics.recording import different
from tests.providers.webhook import Webhook
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey

WORDS = "Could we see the house on Elm Street on Friday?"


async def test_a_reply_pauses_the_plan_and_reaches_the_agent_and_stop_opts_out(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    sendgrid = Webhook()
    environment = providers.settings | {
        "REPLY_DOMAIN": "replies.realtoros.example",
        "SENDGRID_INBOUND_PUBLIC_KEY": sendgrid.public_key,
        "FOLLOWUP_DAY_SECONDS": "20",
    }
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        agent_at(running.api[0]) as agent,
    ):
        maria, ben = [await agent.add(name) for name in ("Maria", "Ben")]
        for client in (maria, ben):
            await agent.task(client, "sent")
        letters = {entry["to"][0]: entry for entry in providers.sendgrid.ledger()}

        answer = _answer(letters["maria@example.com"], WORDS)
        assert (await _post(agent.http, sendgrid, answer)).status_code == 200
        # As SendGrid does when it got no answer.
        assert (await _post(agent.http, sendgrid, answer)).status_code == 200
        assert (await _post(agent.http, Webhook(), answer)).status_code == 403

        async def is_paused() -> bool:
            client = (await agent.http.get(f"/api/clients/{maria}")).json()
            return bool(client["plan_paused"] and client["replied_at"])

        await until(is_paused, "the reply pauses the plan")
        told = [event["type"] for event in await agent.rows(f"/api/clients/{maria}/timeline")]
        assert told.count("ClientReplied") == 1

        def forwarded() -> list[Row]:
            return [
                entry
                for entry in providers.sendgrid.ledger()
                if WORDS in entry["request"]["content"][0]["value"]
            ]

        async def is_forwarded() -> bool:
            return bool(forwarded())

        await until(is_forwarded, "the answer is forwarded to the agent")
        [letter] = forwarded()
        assert letter["request"]["reply_to"] == {"email": "maria@example.com"}

        stop = _answer(letters["ben@example.com"], "STOP")
        assert (await _post(agent.http, sendgrid, stop)).status_code == 200
        client = (await agent.http.get(f"/api/clients/{ben}")).json()
        assert client["email_status"] == "unsubscribed"
        assert running.errors() == []
        await _assert_not_kept(kafka, mongodb, prefix)
    assert await different(kafka, mongodb, prefix) == []


def _answer(letter: Row, words: str) -> bytes:
    """Return an answer to the letter's own address alone."""
    own = letter["request"]["reply_to_list"][-1]["email"]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = letter["to"][0], own, "Re: Hello"
    mail.set_content(f"{words}\n\nOn Monday Alex wrote:\n> {letter['subject']}\n")
    return mail.as_bytes()


async def _post(http: httpx2.AsyncClient, sendgrid: Webhook, mail: bytes) -> httpx2.Response:
    body, headers = sendgrid.form(email=mail)
    return await http.post("/api/webhooks/sendgrid/inbound", content=body, headers=headers)


async def _assert_not_kept(kafka: Server, mongodb: Server, prefix: str) -> None:
    """Assert that no event and no document has the words."""
    for topic in ("notices", "followups", "emails"):
        records = await all_of(kafka.address, f"{prefix}{topic}")
        assert records
        assert not [record for record in records if WORDS.encode() in (record.value or b"")]
    async with AsyncMongoClient[Row](mongodb.address) as client:

        async def is_gone() -> bool:
            return not await client["realtoros_mailer"]["stash"].find_one({})

        await until(is_gone, "the stash is empty")
        for name in ("realtoros_mailer", "realtoros_gateway"):
            for collection in await client[name].list_collection_names():
                async for row in client[name][collection].find({}):
                    assert WORDS not in str(row)
