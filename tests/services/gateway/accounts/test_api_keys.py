"""API keys: shown once, limited to their scopes, revoked."""

import httpx2
from pymongo import AsyncMongoClient

from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, person, promote


def with_key(http: httpx2.AsyncClient, key: str) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.AsyncClient(base_url=http.base_url, trust_env=False, headers=headers)


async def test_a_key_is_shown_once_and_stored_as_a_hash(api: Api, mongodb_server: Server) -> None:
    async with person(api.http.base_url) as ana:
        made = (await ana.post("/api/keys", name="CRM", scopes=["read"])).json()
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
        read = (await ana.post("/api/keys", name="reads")).json()["key"]
        write = (await ana.post("/api/keys", name="both", scopes=["read", "write"])).json()["key"]
        problem(await ana.post("/api/keys", name="too much", scopes=["admin"]), 403)
        problem(await ana.post("/api/keys", name="none", scopes=[]), 422, "scopes")
        async with with_key(ana.http, read) as reader, with_key(ana.http, write) as writer:
            problem(await reader.post("/api/clients", json=bo), 403)
            assert (await writer.post("/api/clients", json=bo)).status_code == 201
            assert len((await reader.get("/api/clients")).json()) == 1
            for http in (reader, writer):
                # Whoever has a key cannot make more of them, nor take the account over.
                problem(await http.post("/api/keys", json={"name": "more"}), 403)
                problem(await http.get("/api/keys"), 403)
                problem(await http.post("/api/auth/logout"), 403)
                passwords = {"current_password": PASSWORD, "new_password": PASSWORD}
                problem(await http.post("/api/auth/password", json=passwords), 403)
                problem(await http.get("/api/admin/agents"), 403)


async def test_an_admin_s_key_looks_at_accounts_but_changes_none(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        id_ = await promote(ana)
        scopes = ["read", "write", "admin"]
        key = (await ana.post("/api/keys", name="watch", scopes=scopes)).json()["key"]
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
        made = (await ana.post("/api/keys", name="CRM")).json()
        async with with_key(ana.http, made["key"]) as http:
            assert (await http.get("/api/clients")).is_success
            problem(await eve.http.delete(f"/api/keys/{made['_id']}"), 404)
            assert (await http.get("/api/clients")).is_success
            assert (await ana.http.delete(f"/api/keys/{made['_id']}")).status_code == 204
            problem(await http.get("/api/clients"), 401)
            assert (await ana.http.get("/api/keys")).json() == []
