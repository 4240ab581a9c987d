"""The quota of new clients a day: over all gateways, for single clients and files."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from chassis.mongo import client as mongo
from services.gateway.commands.daily_quota import DailyQuota, DailyUseDocument
from services.gateway.errors import TooManyRequests
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import person
from tests.system import system
from tests.writes import carried_out

CSV = {"content-type": "text/csv"}
A_DAY = 86_400
QUOTA = 5


@pytest.fixture
async def quotas(mongodb_server: Server) -> AsyncIterator[tuple[DailyQuota, DailyQuota]]:
    """The quotas of two gateways on one database."""
    async with mongo.connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb_server.address, database.name, [DailyUseDocument])
        yield DailyQuota(database, 100), DailyQuota(database, 100)
        await client.drop_database(database.name)


async def test_gateways_never_grant_more_than_the_quota_together(
    quotas: tuple[DailyQuota, DailyQuota],
) -> None:
    agent, other = uuid4(), uuid4()
    grants = await asyncio.gather(*(quotas[n % 2].take(agent, 7) for n in range(40)))
    assert sum(grant.number for grant in grants) == 100
    with pytest.raises(TooManyRequests, match="100 new clients a day") as refused:
        await quotas[0].take_one(agent)
    assert 0 < refused.value.seconds <= A_DAY
    assert (await quotas[0].take(other, 200)).number == 100
    await quotas[1].give_back(grants[0], 3)
    assert (await quotas[0].take(agent, 7)).number == 3


@pytest.fixture(scope="module")
async def small(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """An API with a small quota."""
    prefix, agent_id = f"quota-{uuid4().hex[:8]}.", uuid4()
    environment = {"AGENT_ID": str(agent_id), "CLIENTS_PER_DAY": str(QUOTA)}
    async with (
        system(
            tmp_path_factory.mktemp("quota"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "gateway"),
            environment=environment,
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        yield api


async def test_beyond_the_quota_a_client_is_refused_until_the_day_ends(small: Api) -> None:
    async with person(small.http.base_url) as ana:
        for number in range(QUOTA):
            body = {"name": "Bo", "email": f"bo.{number}.{ana.email}"}
            assert (await carried_out(ana.http, "/api/clients", body)).status_code == 201
            if number < QUOTA - 1:
                # What is refused by itself does not count.
                problem(await ana.post("/api/clients", **body), 409, "email")
        refused = await ana.post("/api/clients", name="Bo", email=f"more.{ana.email}")
        assert f"quota of {QUOTA} new clients a day" in problem(refused, 429)
        assert 0 < int(refused.headers["retry-after"]) <= A_DAY
        # Of this agent alone.
        async with person(small.http.base_url) as other:
            assert (await carried_out(other.http, "/api/clients", body)).status_code == 201


async def test_a_file_is_imported_up_to_the_quota_and_again_without_using_it(small: Api) -> None:
    async with person(small.http.base_url) as ana:

        async def imported(*numbers: int) -> list[tuple[str, str]]:
            lines = [f"Bo,bo.{number}.{ana.email}" for number in numbers]
            content = "\n".join(["name,email", *lines])
            answer = await ana.http.post("/api/clients/import", content=content, headers=CSV)
            assert answer.status_code == 200, answer.text
            return [
                (line["outcome"], "".join(error["reason"] for error in line["errors"]))
                for line in answer.json()["lines"]
            ]

        first = ("imported", "")
        assert await imported(0, 1, 2) == [first] * 3
        # These are known, so two are left.
        report = await imported(0, 1, 2, 3, 4, 5, 6)
        assert [outcome for outcome, _ in report] == [
            *["known"] * 3,
            *["imported"] * 2,
            *["refused"] * 2,
        ]
        assert f"quota of {QUOTA} new clients a day" in report[-1][1]
        found = await ana.http.get("/api/clients")
        assert found.headers["x-total-count"] == str(QUOTA)


async def test_a_file_that_comes_again_under_its_key_uses_no_quota_twice(small: Api) -> None:
    async with person(small.http.base_url) as ana:
        # Its answer is longer than what is stored of one, so that it is imported again.
        bad = "\n".join(f",{'x' * 50}" for _ in range(2_000))
        lines = [f"Bo,bo.{number}.{ana.email}" for number in range(QUOTA)]
        content = "\n".join(["name,email", *lines, bad])
        for _ in range(2):
            answer = await ana.http.post(
                "/api/clients/import", content=content, headers=CSV | {"Idempotency-Key": "one"}
            )
            assert "idempotency-replayed" not in answer.headers
            assert answer.json()["imported"] == QUOTA
