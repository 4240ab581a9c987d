"""Every query that a request or a loop makes is covered by an index, as MongoDB itself reports."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pymongo import AsyncMongoClient

from chassis.mongo.client import database_name
from contracts.services import SERVICES
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, logged_in, system
from tests.writes import carried_out

SECONDS = 60.0
PROFILE_BYTES = 32 * 1024 * 1024
PAST = "2020-01-01T00:00:00Z"
VIEWS = ("clients", "tasks", "email_logs")
Client = AsyncMongoClient[dict[str, Any]]


@pytest.fixture
async def profiled(mongodb: Server) -> AsyncIterator[Client]:
    """MongoDB writing down every operation on the services' databases, with its plan."""
    async with AsyncMongoClient[dict[str, Any]](mongodb.address) as client:
        for service in SERVICES:
            database = client[database_name(service)]
            await database.create_collection("system.profile", capped=True, size=PROFILE_BYTES)
            await database.command("profile", 2)
        yield client
        for service in SERVICES:
            await client[database_name(service)].command("profile", 0)


async def every_request(http: httpx2.AsyncClient) -> None:
    """Let clients go all their way and ask for all that the API shows."""
    created = []
    for number in range(3):
        body = {"name": f"Ana {number}", "email": f"ana.{number}@mail.example.com"}
        answer = await carried_out(http, "/api/clients", body, key=str(number))
        created.append(answer.json()["client_id"])
    again = {"name": "Ana", "email": "ana.0@mail.example.com"}
    assert (await http.post("/api/clients", json=again)).status_code == 409
    deadline = time.monotonic() + SECONDS
    while (await http.get("/api/tasks?status=sent")).headers["x-total-count"] != "15":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    first, second, third = created
    assert (await http.patch(f"/api/clients/{first}", json={"stage": "closed"})).is_success
    assert (await http.delete(f"/api/clients/{third}")).is_success
    task = (await http.get(f"/api/clients/{second}/tasks")).json()[0]["_id"]
    email = (await http.get("/api/emails")).json()[0]["_id"]
    when = "due_before=2099-01-01T00:00:00Z"
    file = b"name,email\nAna,ana.0@mail.example.com\nBo,bo@mail.example.com\n"
    headers = {"content-type": "text/csv"}
    report = (await http.post("/api/clients/import", content=file, headers=headers)).json()
    assert (report["imported"], report["known"]) == (1, 1)
    for path in (
        *("clients", "clients?q=ana", "clients?q=ana+mail&stage=lead", "clients?stage=lead&page=2"),
        *("clients?sort=name", "clients?sort=-name&q=a", "clients?sort=created_at&q=ana+mail"),
        *("clients?sort=last_contacted&stage=lead", "clients?sort=-last_contacted"),
        *("clients?property_type=land&email_status=bounced", "clients?plan_paused=true&q=ana"),
        *("clients/counts", "clients/counts?plan_paused=false", "clients/counts?q=ana+mail"),
        *(f"tasks?priority=high&due_after={PAST}", "tasks?q=ana", "emails?q=ana+mail"),
        *(f"emails?created_after={PAST}", f"emails?created_before={PAST}&status=sent"),
        *("clients/export", "dashboard/stats", "dashboard/attention", "dashboard/series"),
        *(f"clients/{first}", f"clients/{first}/tasks?limit=2&page=2"),
        *("tasks", "tasks?status=due&status=sent", f"tasks?{when}", f"tasks?status=sent&{when}"),
        *(f"tasks?client_id={first}", f"tasks?client_id={first}&status=sent&{when}"),
        *("tasks?sort=-scheduled_for", "tasks?sort=-scheduled_for&status=pending"),
        *("emails?sort=created_at", f"emails?sort=created_at&client_id={first}"),
        *("emails", "emails?status=sent&status=queued", f"emails?client_id={second}"),
        *(f"emails?client_id={second}&status=sent", f"tasks/{task}", f"emails/{email}"),
        *(f"clients/{second}/timeline", f"clients/{second}/timeline?limit=3&page=4"),
        *("suppressions", "suppressions?reason=bounced&limit=1&page=2"),
        *("dashboard/activity", "dashboard/activity?limit=7&page=3"),
    ):
        response = await http.get(f"/api/{path}")
        assert response.status_code == 200, (path, response.text)
    # Each with a next page, by its cursor.
    for path in (
        *("clients?", "clients?sort=name", "clients?sort=-name&q=a", "clients?sort=last_contacted"),
        *("clients?sort=-last_contacted", "tasks?", "tasks?sort=-scheduled_for&status=sent"),
        *("emails?", f"clients/{second}/timeline?", "dashboard/activity?"),
    ):
        response = await http.get(f"/api/{path}&limit=1")
        following = await http.get(response.links["next"]["url"])
        assert following.status_code == 200, (path, following.text)
    for of, kind in (("clients", "resume"), ("tasks", "cancel")):
        filters: list[dict[str, Any]] = [{}, {"q": "ana"}]
        for which in filters:
            change: dict[str, Any] = {"selection": {"filter": which}, "action": {"kind": kind}}
            refused = await http.post(f"/api/{of}/bulk", json=change | {"expected_count": 4_999})
            count = int(refused.json()["detail"].split()[0])
            answer = await http.post(f"/api/{of}/bulk", json=change | {"expected_count": count})
            assert answer.status_code == 200, answer.text
    assert (await http.post(f"/api/clients/{second}/unsubscribe")).status_code == 200
    [suppression] = (await http.get("/api/suppressions")).json()
    release = f"/api/suppressions/{suppression['_id']}/release"
    assert (await http.post(release, json={"reason": "asked for it"})).status_code == 204
    own_session = logged_in(AGENT)
    for path in ("auth/sessions", "auth/sessions?limit=1&page=2", "keys"):
        assert (await http.get(f"/api/{path}", headers=own_session)).is_success, path
    unknown = "00000000-0000-0000-0000-000000000000"
    assert (await http.get(f"/api/commands/{unknown}")).status_code == 404


async def operations(client: Client) -> list[dict[str, Any]]:
    """Give what the services did, without what MongoDB does on its own behalf."""
    found: list[dict[str, Any]] = []
    for service in SERVICES:
        profile = client[database_name(service)]["system.profile"]
        found += await profile.find({"appName": "realtoros"}, {"execStats": 0}).to_list()
    return found


def is_upgrade(op: dict[str, Any]) -> bool:
    """Whether `indexes apply` looked for keys that an earlier release has stored."""
    return "$regex" in op["command"].get("filter", {}).get("state.personal.email", {})


async def test_no_query_scans_a_collection(
    profiled: Client, mongodb: Server, kafka: Server, prefix: str, tmp_path: Path
) -> None:
    environment = {
        "FOLLOWUP_DAY_SECONDS": "0.05",
        "SCHEDULER_POLL_SECONDS": "0.5",
        "SUPPRESS_ACROSS_AGENTS": "true",
    }
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, environment=environment) as running,
        httpx2.AsyncClient(
            base_url=running.api[0], timeout=30, trust_env=False, headers=AUTHORIZED
        ) as http,
    ):
        await every_request(http)
    done = await operations(profiled)
    planned = [op for op in done if "planSummary" in op]
    asked = {(op["ns"].partition(".")[2], op["op"]) for op in planned}
    # That the profile holds what it is meant to hold.
    assert {
        *(("plans", "query"), ("drafts", "query"), ("emails", "query"), ("commits", "query")),
        *(("plans", "update"), ("commits", "update"), ("positions", "query")),
        *(("clients", "query"), ("tasks", "query"), ("email_logs", "query")),
        *(("timeline", "query"), ("timeline", "command")),
        ("idempotency", "command"),
        *(("suppressions", "query"), ("deleted_clients", "query"), ("tasks", "command")),
    } <= asked
    scans = [op for op in planned if "COLLSCAN" in op["planSummary"] and not is_upgrade(op)]
    assert not [(op["ns"], op["op"], op["command"]) for op in scans]
    # A list is as long as it gets: it is not sorted in memory, and counted on an index alone.
    lists = [op for op in planned if op["op"] == "query" and op["ns"].endswith(VIEWS)]
    sorts = [op["command"] for op in lists if op.get("hasSortStage")]
    # But for what a search finds, or has found, and what one client has.
    bounded = re.compile(r"'search':|'_id': {'\$in'|'client_id':")
    assert not [c for c in sorts if not bounded.search(str(c["filter"]))]
    counts = [op for op in planned if "count" in op["command"]]
    fetching = [op["command"]["query"] for op in counts if op["docsExamined"]]
    assert len(counts) > len(fetching)
    assert all(len(query["$and"]) > 1 for query in fetching), fetching
    # It grows for ever: a page has to come in the order of an index.
    pages = [op for op in planned if op["ns"].endswith(".timeline") and op["op"] == "query"]
    assert not [op["command"] for op in pages if op.get("hasSortStage")]
