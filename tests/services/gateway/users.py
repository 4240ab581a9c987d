"""People who use the API, each with an account and a session."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import httpx2
from argon2 import PasswordHasher

from chassis.mongo.client import Database, connect, database_name
from chassis.projections.views import view_raw
from contracts.crm import AgentProfile
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.sessions import REFRESH
from services.gateway.accounts.tokens import OpaqueToken
from tests.system import AGENT, MONGODB_OF, logged_in

PASSWORD = "correct horse battery"


class Person:
    """An agent with an account. `http` sends the access token."""

    def __init__(self, http: httpx2.AsyncClient, email: str) -> None:
        self.http = http
        self.email = email
        self.refresh_token = ""

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        return await self.http.post(path, json=body)

    def take(self, response: httpx2.Response) -> None:
        """Use the tokens of this response from now on."""
        assert response.is_success, response.text
        tokens = response.json()
        self.refresh_token = tokens["refresh_token"]
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    async def make_key(self, name: str, *scopes: str, **fields: Any) -> httpx2.Response:
        """Create an API key; without scopes it may read."""
        body = {"name": name, "current_password": PASSWORD} | fields
        return await self.post("/api/keys", **body | ({"scopes": scopes} if scopes else {}))

    async def log_in(self, password: str = PASSWORD, **more: Any) -> httpx2.Response:
        body = {"email": self.email, "password": password} | more
        return await self.post("/api/auth/login", **body)


@contextlib.asynccontextmanager
async def person(url: httpx2.URL | str, **profile: Any) -> AsyncIterator[Person]:
    """Add and log in a new person, whose address is confirmed."""
    email = f"{uuid4().hex[:12]}@agents.example.com"
    await add_account(
        str(url).rstrip("/"), AgentProfile(**{"email": email, "name": "Dana"} | profile)
    )
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        one = Person(http, email)
        one.take(await one.log_in())
        yield one


async def add_account(url: str, profile: AgentProfile) -> None:
    """Add an account with the password to the gateway's database, as `realtoros agents add`."""
    account = AccountDocument(
        id=uuid4(),
        email=profile.email,
        canonical=True,
        password=_hashed_password(),
        unregistered=profile,
        created_at=datetime.now(UTC),
    )
    async with accounts_database(MONGODB_OF[url]) as database:
        await database["accounts"].insert_one(view_raw(account))


@cache
def _hashed_password() -> str:
    return PasswordHasher().hash(PASSWORD)


async def promote(one: Person) -> str:
    """Make the person an admin; return the agent's id."""
    id_ = str((await one.http.get("/api/agents/me")).json()["id"])
    path, admin = f"/api/admin/agents/{id_}", logged_in(AGENT)
    made = await one.http.patch(path, json={"role": "admin"}, headers=admin)
    assert made.json()["role"] == "admin", made.text
    return id_


async def end_grace(mongodb: str, exchanged: str) -> None:
    """Let the time be over in which the exchanged refresh token is still good."""
    token = OpaqueToken.parse(exchanged, REFRESH)
    assert token
    async with accounts_database(mongodb) as database:
        ended = await database["sessions"].update_one(
            {"_id": token.id, "exchanged.token": token.digest},
            {"$set": {"exchanged.$.until": datetime.now(UTC)}},
        )
        assert ended.modified_count == 1


@contextlib.asynccontextmanager
async def accounts_database(mongodb: str) -> AsyncIterator[Database]:
    """Open the gateway's database."""
    async with connect(mongodb) as client:
        yield client[database_name("gateway")]
