"""Deactivations that a gateway did not finish: what they ended stays ended, and crm is told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import client as mongo
from services.gateway.accounts.activation import activation
from services.gateway.accounts.documents import AccountDocument
from tests.chassis.waiting import until
from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import person
from tests.system import AGENT, logged_in

Accounts = AsyncCollection[dict[str, Any]]


@pytest.fixture
async def accounts(mongodb_server: Server) -> AsyncIterator[Accounts]:
    async with mongo.connect(mongodb_server.address) as client:
        yield client[mongo.database_name("gateway")][AccountDocument.Settings.name]


def settled(accounts: Accounts, agent_id: UUID) -> Callable[[], Awaitable[bool]]:
    async def is_settled() -> bool:
        found = await accounts.find_one({"_id": agent_id})
        return found is not None and "activation_unsettled" not in found

    return is_settled


async def test_a_reactivation_revives_no_session_and_no_key_and_an_unfinished_change_is_finished(
    api: Api, accounts: Accounts
) -> None:
    async with person(api.http.base_url) as ana:
        key = await ana.make_key("made")
        ana_id = UUID((await ana.http.get("/api/agents/me")).json()["id"])
        for active in (False, True):
            await accounts.update_one(*activation({"_id": ana_id}, active))
        problem(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token), 401)
        await until(settled(accounts, ana_id))
        admin = logged_in(AGENT)
        # Any admin's change has the gateway look all callers up again.
        path = f"/api/admin/agents/{ana_id}"
        assert (await api.http.patch(path, json={"active": True}, headers=admin)).is_success
        problem(await ana.http.get("/api/agents/me"), 401)
        by_key = {"Authorization": f"Bearer {key.json()['key']}"}
        problem(await ana.http.get("/api/clients", headers=by_key), 401)
        ana.take(await ana.log_in())
        assert (await ana.http.get("/api/agents/me")).is_success


async def test_a_change_comes_after_the_one_before_it_whatever_the_clock_says(
    accounts: Accounts,
) -> None:
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=300)
    account = {
        "_id": uuid4(),
        "email": uuid4().hex,
        "role": "agent",
        "active": True,
        "activation_changed_at": ahead,
    }
    await accounts.insert_one(account)
    try:
        for number, active in enumerate((False, True, False), 1):
            await accounts.update_one(*activation({"_id": account["_id"]}, active))
            # Not a change.
            await accounts.update_one(*activation({"_id": account["_id"]}, active))
            found = await accounts.find_one({"_id": account["_id"]}) or {}
            assert found["activation_changed_at"] == ahead + number * timedelta(milliseconds=1)
    finally:
        await accounts.delete_one({"_id": account["_id"]})
