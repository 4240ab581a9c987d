"""A file is imported in which people have said no to emails: the others alone get them."""

from pathlib import Path

import pytest

from tests.journeys.agent_user import agent_at
from tests.journeys.conftest import Providers
from tests.servers import Server
from tests.system import system

pytestmark = pytest.mark.journey


async def test_who_wants_no_emails_as_the_file_says_gets_none(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    settings = providers.settings | {"FOLLOWUP_DAY_SECONDS": "0.2"}
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        known = await agent.add("Kim", "kim@mail.example.com")
        text = (
            "name,email,Unsubscribed from all email\n"
            "Ann,ann@mail.example.com,Yes\n"
            "Bob,bob@mail.example.com,No\n"
            "Kim,kim@mail.example.com,Yes\n"
        )
        answer = await agent.http.post(
            "/api/clients/import", content=text, headers={"content-type": "text/csv"}
        )
        report = answer.json()
        assert (report["imported"], report["known"], report["suppressed"]) == (2, 1, 2)
        ids = [line["client_id"] for line in report["lines"]]
        assert ids[2] == known
        clients = [(await agent.http.get(f"/api/clients/{id_}")).json() for id_ in ids]
        statuses = [client["email_status"] for client in clients]
        assert statuses == ["unsubscribed", None, "unsubscribed"]
        await agent.until_sent(5, client_id=ids[1])
        # Ann has no plan at all.
        assert sum((await agent.statuses(client_id=ids[0])).values()) == 0
        mailed = {entry["to"][0] for entry in providers.sendgrid.ledger()}
        assert "ann@mail.example.com" not in mailed
