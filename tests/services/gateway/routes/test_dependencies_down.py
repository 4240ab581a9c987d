"""The API while something behind it is away, and what it says of itself."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import httpx2

from services.gateway.read_models.schemas.followups import Task
from tests.chassis.raw_records import all_of
from tests.chassis.waiting import until
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.cuttable_mongodb import wired
from tests.services.gateway.problem_checks import problem
from tests.system import system


async def status(http: httpx2.AsyncClient, path: str) -> int:
    return (await http.get(path)).status_code


async def test_while_mongodb_is_away_it_says_503_and_when_to_come_again(
    kafka: Server, mongodb_server: Server, prefix: str, tmp_path: Path
) -> None:
    async with (
        wired(mongodb_server) as (wire, server),
        system(tmp_path, kafka, server, prefix=prefix, services=("gateway",)) as running,
        api_of(running.api[0], kafka, prefix) as api,
    ):
        assert await status(api.http, "/api/clients") == 200
        await wire.cut()
        paths = ("/api/clients", "/api/tasks", "/api/emails")
        for response in await asyncio.gather(*(api.http.get(path) for path in paths)):
            problem(response, 503)
            assert int(response.headers["retry-after"]) > 0
        bo = {"name": "Bo", "email": "bo@mail.example.com"}
        posted = await api.http.post("/api/clients", json=bo)
        assert "may have been carried out all the same" in problem(posted, 503)
        keyed = await api.http.post("/api/clients", json=bo, headers={"Idempotency-Key": "k"})
        assert "with the same Idempotency-Key" in problem(keyed, 503)
        ready = await api.http.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["mongodb"]
        assert await status(api.http, "/health/live") == 200
        await wire.connect()

        async def back() -> bool:
            return await status(api.http, "/health/ready") == 200

        await until(back)
        assert await status(api.http, "/api/clients") == 200


async def test_while_the_owner_is_away_a_command_is_durable_and_its_outcome_can_be_asked_for(
    kafka: Server, mongodb_server: Server, prefix: str, tmp_path: Path
) -> None:
    # An agent of this test's own: the databases may hold what other tests have left.
    agent_id = uuid4()
    environment = {"COMMAND_TIMEOUT_SECONDS": "0.5", "AGENT_ID": str(agent_id)}
    async with (
        system(
            tmp_path,
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "gateway"),
            environment=environment,
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        await running.stop("crm")
        bo = {"name": "Bo", "email": "bo@mail.example.com"}
        places = []
        for body in (bo, bo):
            response = await api.http.post("/api/clients", json=body)
            assert response.status_code == 202, response.text
            place = response.headers["location"]
            assert place == f"/api/commands/{response.json()['command_id']}"
            assert (await api.http.get(place)).json()["status"] == "pending"
            places.append(place)
        file = b"name,email\nCy,cy@mail.example.com\nBo,bo@mail.example.com\n,no\n"
        headers = {"content-type": "text/csv"}
        response = await api.http.post("/api/clients/import", content=file, headers=headers)
        report = response.json()
        counts = [report[outcome] for outcome in ("imported", "known", "pending", "refused")]
        assert (response.status_code, counts) == (200, [0, 0, 2, 1])
        cy, same, _ = report["lines"]
        places.append(f"/api/commands/{same['command_id']}")
        await running.start("crm")
        place = f"/api/commands/{cy['command_id']}"
        await api.get_until(place, lambda r: r.json()["status"] == "accepted")
        await api.get_until(f"/api/clients/{cy['client_id']}", lambda r: r.status_code == 200)
        settled = [
            (await api.get_until(place, lambda r: r.json()["status"] != "pending")).json()
            for place in places
        ]
        # Clients are on several partitions: which comes first is open.
        accepted, *others = sorted(settled, key=lambda command: str(command["status"]))
        assert accepted["status"] == "accepted"
        assert (await api.http.get(f"/api/clients/{accepted['client_id']}")).json()["name"] == "Bo"
        for rejected in others:
            assert (rejected["status"], rejected["kind"]) == ("rejected", "conflict")
            assert rejected["field"] == "email"
        shown = await api.get_until("/api/clients?sort=name", lambda r: len(r.json()) > 1)
        assert [client["name"] for client in shown.json()] == ["Bo", "Cy"]


async def test_a_request_that_still_waits_when_the_gateway_stops_is_answered_503(
    kafka: Server, mongodb_server: Server, prefix: str, tmp_path: Path
) -> None:
    agent_id = uuid4()
    environment = {"COMMAND_TIMEOUT_SECONDS": "30", "AGENT_ID": str(agent_id)}
    async with (
        system(
            tmp_path,
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("gateway",),
            environment=environment,
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        bo = {"name": "Bo", "email": "bo@mail.example.com"}
        request = asyncio.create_task(api.http.post("/api/clients", json=bo))

        async def ordered() -> bool:
            records = await all_of(kafka.address, f"{prefix}clients.commands")
            return bool(records)

        await until(ordered)
        await running.stop("gateway")
        problem(await request, 503)
        assert (await request).headers["retry-after"]


async def test_the_api_describes_itself_in_openapi_3_1(api: Api) -> None:
    response = await api.http.get("/schema")
    assert response.status_code == 200
    schema = json.loads(response.content)
    assert schema["openapi"].startswith("3.1")
    assert {path.replace("{", "<").split("<")[0] for path in schema["paths"]} >= {
        *("/api/clients", "/api/clients/", "/api/tasks", "/api/tasks/"),
        *("/api/emails", "/api/emails/", "/api/commands/"),
    }
    client = schema["paths"]["/api/clients"]
    body = client["post"]["requestBody"]["content"]["application/json"]["schema"]
    new = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]
    assert {"name", "email"} == set(new["required"])
    assert {p["name"] for p in client["get"]["parameters"] if p["in"] == "query"} == {
        *("page", "limit", "cursor", "stage", "q", "sort"),
        *("property_type", "email_status", "plan_paused"),
    }
    assert "_id" in schema["components"]["schemas"]["ClientView"]["properties"]
    task = set(schema["components"]["schemas"]["TaskView"]["properties"])
    assert task == {"_id", *Task.model_fields} - {"id"}


async def test_health_is_told_and_unknown_paths_are_problems(api: Api) -> None:
    assert (await api.http.get("/health/live")).json() == {"status": "live"}
    assert (await api.http.get("/health/ready")).json() == {"status": "ready"}
    problem(await api.http.get("/nothing/here"), 404)
