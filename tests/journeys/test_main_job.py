"""The main job: 25 leads in, 125 personal emails out, each sent once and none too early."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from contracts.links.opt_out import OptOutTokens
from tests.journeys.agent_user import (
    DAYS,
    FOLLOWUPS,
    LEADS,
    Agent,
    Row,
    agent_at,
    followups_in,
    import_samples,
    parse_time,
    until,
)
from tests.journeys.conftest import Providers
from tests.journeys.letters import opt_out_of
from tests.servers import Server
from tests.system import (
    FIT_TO_SEND,
    UNSUBSCRIBE_KEYS,
    Running,
    drop_databases,
    system,
    topic_prefix,
)

pytestmark = pytest.mark.journey

DAY = timedelta(seconds=0.5)
TOKENS = OptOutTokens(dict([UNSUBSCRIBE_KEYS.split(":")]))
CLAIMED = ("agent_id", "client_id", "followup_id", "email_id")


@dataclass(frozen=True)
class Month:
    """The outcome of a month: rows of the API, entries of the providers' ledgers."""

    running: Running
    clients: dict[str, Row]
    tasks: dict[str, Row]
    emails: list[Row]
    written: list[Row]
    accepted: list[Row]
    deleted: str
    closed: str

    def statuses_of(self, client: str) -> dict[str, str]:
        """Return the statuses of a client's follow-ups by type."""
        tasks = (task for task in self.tasks.values() if task["client_id"] == client)
        return {task["followup_type"]: task["status"] for task in tasks}

    def samples(self, rows: list[Row]) -> list[Row]:
        """Return the rows without the clients that were deleted and closed."""
        return [row for row in rows if _client(row) not in (self.deleted, self.closed)]


@pytest.fixture(scope="module")
async def month(
    tmp_path_factory: pytest.TempPathFactory,
    kafka: Server,
    mongodb_server: Server,
    providers: Providers,
) -> AsyncIterator[Month]:
    """Run the main job: 25 leads, a client that is deleted and one that is closed."""
    await drop_databases(mongodb_server)
    folder = tmp_path_factory.mktemp("main-job")
    settings = providers.settings | {"FOLLOWUP_DAY_SECONDS": str(DAY.total_seconds())}
    async with (
        topic_prefix(kafka) as prefix,
        system(folder, kafka, mongodb_server, prefix=prefix, environment=settings) as running,
        agent_at(running.api[0]) as agent,
    ):
        deleted, closed = await agent.add("Gone"), await agent.add("Done")
        await asyncio.gather(
            import_samples(*running.api), delete(agent, deleted), close(agent, closed)
        )
        tasks = await agent.until_all_ended(FOLLOWUPS + 10)
        yield Month(
            running,
            {client["_id"]: client for client in await agent.rows("/api/clients")},
            {task["_id"]: task for task in tasks},
            [await agent.email(row["_id"]) for row in await agent.rows("/api/emails")],
            providers.openai.ledger(),
            providers.sendgrid.ledger(),
            deleted,
            closed,
        )


async def delete(agent: Agent, client: str) -> None:
    await agent.until_sent(1, client_id=client)
    would = (await agent.http.get(f"/api/clients/{client}/deletion")).json()
    assert would["tasks_cancelled"] + would["emails_erased"] > 0
    assert (await agent.http.delete(f"/api/clients/{client}")).status_code == 204

    async def is_erased() -> bool:
        emails = await agent.rows("/api/emails", client_id=client)
        return all(email["to_email"] is email["subject"] is None for email in emails)

    await until(is_erased, "the texts of its emails are gone")


async def close(agent: Agent, client: str) -> None:
    await agent.until_sent(1, client_id=client)
    response = await agent.http.patch(f"/api/clients/{client}", json={"stage": "closed"})
    assert response.status_code == 200
    assert response.json()["stage"] == "closed"


def _client(row: Row) -> str:
    return str(row.get("client_id") or row["custom_args"]["client_id"])


async def test_every_followup_of_every_lead_is_sent(month: Month) -> None:
    tasks = month.samples(list(month.tasks.values()))
    assert {task["status"] for task in tasks} == {"sent"}
    assert len(tasks) == FOLLOWUPS
    for client in {task["client_id"] for task in tasks}:
        assert month.statuses_of(client).keys() == DAYS.keys()


async def test_the_mail_provider_accepted_each_followup_once(month: Month) -> None:
    accepted = month.samples(month.accepted)
    assert followups_in(accepted) == {
        task["_id"]: 1 for task in month.samples(list(month.tasks.values()))
    }
    args = [entry["custom_args"] for entry in month.accepted]
    assert len({(each["email_id"], each["send_attempt"]) for each in args}) == len(month.accepted)


async def test_the_llm_was_asked_once_for_each_followup(month: Month) -> None:
    # A letter to the client who was deleted, or closed, may have been discarded meanwhile.
    assert len(month.emails) <= len(month.written) <= len(month.emails) + 2
    assert {email["written_by"] for email in month.emails} == {"gpt-4o-mini"}


async def test_every_email_has_a_text_and_an_html_part_for_the_right_person(month: Month) -> None:
    addresses = {client: row["email"] for client, row in month.clients.items()}
    for entry in month.samples(month.accepted):
        assert entry["content_types"] == ["text/plain", "text/html"]
        assert entry["to"] == [addresses[entry["custom_args"]["client_id"]]]


async def test_every_email_says_how_its_client_opts_out(month: Month) -> None:
    for entry in month.samples(month.accepted):
        headers, args = entry["request"]["headers"], entry["custom_args"]
        text, html = (part["value"] for part in entry["request"]["content"])
        claims = opt_out_of(headers, text, html, TOKENS)
        assert [claims.address] == entry["to"]
        assert {name: str(getattr(claims, name)) for name in CLAIMED} == {
            name: args[name] for name in CLAIMED
        }
        assert FIT_TO_SEND["MAIL_POSTAL_ADDRESS"] in text


async def test_nothing_was_sent_before_its_time(month: Month) -> None:
    for entry in month.samples(month.accepted):
        task = month.tasks[entry["custom_args"]["followup_id"]]
        client = month.clients[task["client_id"]]
        planned = parse_time(client["created_at"]) + DAYS[task["followup_type"]] * DAY
        assert planned <= parse_time(task["scheduled_for"]) <= parse_time(entry["at"])


async def test_the_email_log_shows_what_was_sent(month: Month) -> None:
    logs = {email["_id"]: email for email in month.emails}
    sent = {id_ for id_, log in logs.items() if log["status"] == "sent"}
    assert sent == {entry["custom_args"]["email_id"] for entry in month.accepted}
    # Some may have been withheld: those of the client who was deleted, and of the one closed.
    others = {logs[id_]["client_id"] for id_ in logs.keys() - sent}
    assert others <= {month.deleted, month.closed}
    for entry in month.accepted:
        log = logs[entry["custom_args"]["email_id"]]
        assert log["sendgrid_message_id"] == entry["message_id"]
        assert log["task_id"] == entry["custom_args"]["followup_id"]
        assert month.tasks[log["task_id"]]["email_sent_id"] == log["_id"]
        if log["client_id"] == month.deleted:
            # With the client, the texts are gone.
            assert (log["to_email"], log["subject"], log["body"]) == (None, None, None)
            continue
        [text, _] = entry["request"]["content"]
        assert log["subject"] == entry["subject"]
        assert log["body"].split()[:20] == text["value"].split()[:20]


async def test_a_client_was_last_contacted_when_the_last_email_was_sent(month: Month) -> None:
    assert len(month.clients) == len(LEADS) + 1
    for client, row in month.clients.items():
        emails = [email for email in month.emails if email["client_id"] == client]
        assert row["last_contacted"] == max(filter(None, (email["sent_at"] for email in emails)))


@pytest.mark.parametrize("who", ["deleted", "closed"])
async def test_a_deleted_or_closed_client_gets_nothing_more(month: Month, who: str) -> None:
    client: str = getattr(month, who)
    statuses = month.statuses_of(client)
    assert statuses.pop("Day 1") == "sent"
    # These may have been on their way already, if everything takes its time.
    for early in ("Day 3", "Week 1"):
        assert statuses.pop(early) in ("sent", "cancelled", "withheld")
    assert statuses == dict.fromkeys(("Week 2", "Month 1"), "cancelled")
    accepted = followups_in(e for e in month.accepted if e["custom_args"]["client_id"] == client)
    sent = {task for task, row in month.tasks.items() if row["status"] == "sent"}
    assert accepted.keys() <= sent
    assert accepted.total() == list(month.statuses_of(client).values()).count("sent")


async def test_a_deleted_client_is_not_shown(month: Month) -> None:
    assert month.deleted not in month.clients
    async with agent_at(month.running.api[0]) as agent:
        assert (await agent.http.get(f"/api/clients/{month.deleted}")).status_code == 404


async def test_no_service_logged_an_error(month: Month) -> None:
    assert month.running.errors() == []
