"""API keys: shown once, limited to their scopes and in number, expiring, revoked."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx2
from pymongo import AsyncMongoClient

from contracts.message import rfc3339
from services.gateway.accounts.api_keys import MAX_KEYS, USE_RECORDED_EVERY, ApiKeys, new_key
from services.gateway.accounts.documents import AccountDocument
from services.gateway.errors import Conflict
from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, accounts_database, person, promote
from tests.writes import carried_out


def with_key(http: httpx2.AsyncClient, key: str) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(base_url=http.base_url, trust_env=False, headers=headers)


async def test_a_key_is_shown_once_and_stored_as_a_hash(api: Api, mongodb_server: Server) -> None:
    async with person(api.http.base_url) as ana:
        made = (await ana.make_key("CRM", "read")).json()
        [list_page] = (await ana.http.get("/api/keys")).json()
        assert list_page == {name: made[name] for name in made if name != "key"}
        secret = made["key"].split("_", 2)[2]
        async with AsyncMongoClient[dict[str, object]](mongodb_server.address) as client:
            stored = [row async for row in client["realtoros_gateway"]["api_keys"].find()]
        assert secret not in str(stored)
        assert secret.encode() not in str(stored).encode()


async def test_a_key_does_what_its_scopes_allow(api: Api) -> None:
    bo = {"name": "Bo", "email": "bo@clients.example.com"}
    async with person(api.http.base_url) as ana:
        read = (await ana.make_key("reads")).json()["key"]
        write = (await ana.make_key("both", "read", "write")).json()["key"]
        problem(await ana.make_key("too much", "admin"), 403)
        problem(await ana.make_key("none", scopes=[]), 422, "scopes")
        async with with_key(ana.http, read) as reader, with_key(ana.http, write) as writer:
            problem(await reader.post("/api/clients", json=bo), 403)
            assert (await carried_out(writer, "/api/clients", bo)).status_code == 201
            assert len((await reader.get("/api/clients")).json()) == 1
            for http in (reader, writer):
                # Whoever has a key cannot make more of them, nor take the account over.
                more = {"name": "more", "current_password": PASSWORD}
                problem(await http.post("/api/keys", json=more), 403)
                problem(await http.get("/api/keys"), 403)
                problem(await http.post("/api/auth/logout"), 403)
                passwords = {"current_password": PASSWORD, "new_password": PASSWORD}
                problem(await http.post("/api/auth/password", json=passwords), 403)
                problem(await http.get("/api/admin/agents"), 403)


async def test_an_admin_s_key_looks_at_accounts_but_changes_none(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        id_ = await promote(ana)
        key = (await ana.make_key("watch", "read", "write", "admin")).json()["key"]
        path = f"/api/admin/agents/{id_}"
        async with with_key(ana.http, key) as http:
            assert (await http.get(path)).json()["role"] == "admin"
            new = {"email": "new@agents.example.com", "password": PASSWORD, "name": "New"}
            problem(await http.post("/api/admin/agents", json=new), 403)
            problem(await http.patch(path, json={"password": PASSWORD}), 403)
        # Nor is an access token that was stolen enough for a new password.
        wrong = await ana.http.patch(path, json={"password": "correct horse battery"})
        problem(wrong, 422, "password")


async def test_a_key_that_is_taken_back_opens_nothing(api: Api) -> None:
    async with person(api.http.base_url) as ana, person(api.http.base_url) as eve:
        made = (await ana.make_key("CRM")).json()
        async with with_key(ana.http, made["key"]) as http:
            assert (await http.get("/api/clients")).is_success
            problem(await eve.http.delete(f"/api/keys/{made['_id']}"), 404)
            assert (await http.get("/api/clients")).is_success
            assert (await ana.http.delete(f"/api/keys/{made['_id']}")).status_code == 204
            problem(await http.get("/api/clients"), 401)
            assert (await ana.http.get("/api/keys")).json() == []


async def test_a_key_is_made_only_with_the_password(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        problem(await ana.post("/api/keys", name="CRM"), 422, "current_password")
        problem(await ana.make_key("CRM", current_password="wrong"), 401)
        assert (await ana.http.get("/api/keys")).json() == []


async def test_an_expired_key_opens_nothing(api: Api, mongodb_server: Server) -> None:
    async with person(api.http.base_url) as ana:
        now = datetime.now(UTC)
        problem(await ana.make_key("late", expires_at=rfc3339(now)), 422, "expires_at")
        until = rfc3339(now + timedelta(hours=1))
        made = (await ana.make_key("CRM", expires_at=until)).json()
        assert made["expires_at"] == until
        by_key = {"Authorization": f"Bearer {made['key']}"}
        assert (await ana.http.get("/api/clients", headers=by_key)).is_success
        soon = (await ana.make_key("soon", expires_at=until)).json()
        async with accounts_database(mongodb_server.address) as database:
            await database["api_keys"].update_one(
                {"_id": UUID(soon["_id"])}, {"$set": {"expires_at": now}}
            )
        by_key = {"Authorization": f"Bearer {soon['key']}"}
        problem(await ana.http.get("/api/clients", headers=by_key), 401)


async def test_a_cached_key_opens_nothing_once_it_has_expired(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        until = datetime.now(UTC) + timedelta(seconds=1.5)
        made = (await ana.make_key("CRM", expires_at=rfc3339(until))).json()
        async with with_key(ana.http, made["key"]) as http:
            while (answer := await http.get("/api/clients")).is_success:
                assert datetime.now(UTC) < until + timedelta(seconds=1)
            problem(answer, 401)


async def test_a_key_shows_when_it_was_last_used(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        made = (await ana.make_key("CRM")).json()
        assert made["last_used_at"] is None
        async with with_key(ana.http, made["key"]) as http:
            assert (await http.get("/api/clients")).is_success
        listed = await Api.get_until(
            ana,  # type: ignore[arg-type]
            "/api/keys",
            lambda r: r.json()[0]["last_used_at"] is not None,
        )
        assert listed.json()[0]["last_used_at"] >= made["created_at"]


async def test_a_use_is_recorded_once_in_a_minute_and_asked_for_by_no_request(
    api: Api, mongodb_server: Server
) -> None:
    async with accounts_database(mongodb_server.address) as database:
        keys, (_, key) = ApiKeys(database), new_key(uuid4(), "CRM", ["read"])
        key.last_used_at = datetime.now(UTC) - USE_RECORDED_EVERY / 2
        keys.record_use(key)
        assert not keys._recording
        key.last_used_at = datetime.now(UTC) - USE_RECORDED_EVERY
        keys.record_use(key)
        assert len(keys._recording) == 1
        await asyncio.gather(*keys._recording)


async def test_an_agent_has_so_many_keys_and_not_more_even_if_made_at_once(
    api: Api, mongodb_server: Server
) -> None:
    async with (
        person(api.http.base_url) as ana,
        accounts_database(mongodb_server.address) as database,
    ):
        replicas = ApiKeys(database), ApiKeys(database)
        id_ = UUID((await ana.http.get("/api/agents/me")).json()["id"])
        account = AccountDocument.model_validate(await database["accounts"].find_one({"_id": id_}))
        # One of an earlier release counts, too.
        _, old = new_key(id_, "old", ["read"])
        raw = old.model_dump(by_alias=True, include={"id", "agent_id", "name", "scopes"})
        raw |= {"secret": old.secret, "created_at": old.created_at}
        await database["api_keys"].insert_one(raw)
        adding = [replicas[n % 2].add(account, f"{n}", ["read"]) for n in range(MAX_KEYS + 9)]
        made = await asyncio.gather(*adding, return_exceptions=True)
        assert sum(isinstance(one, Conflict) for one in made) == 10
        assert await database["api_keys"].count_documents({"agent_id": id_}) == MAX_KEYS
        detail = problem(await ana.make_key("one more"), 409)
        assert "revoke one first" in detail
        await database["api_keys"].update_one(
            {"_id": old.id}, {"$set": {"expires_at": datetime.now(UTC)}}
        )
        assert (await ana.make_key("one more")).status_code == 201
