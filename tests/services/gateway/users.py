"""People who use the API, each with an account and a session."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2

from tests.system import AGENT, logged_in

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

    async def log_in(self, password: str = PASSWORD) -> httpx2.Response:
        return await self.post("/api/auth/login", email=self.email, password=password)


@contextlib.asynccontextmanager
async def person(url: httpx2.URL | str, **profile: Any) -> AsyncIterator[Person]:
    """Register and log in a new person."""
    email = f"{uuid4().hex[:12]}@agents.example.com"
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        one = Person(http, email)
        whole = {"email": email, "password": PASSWORD, "name": "Dana Reed"} | profile
        one.take(await one.post("/api/auth/register", **whole))
        yield one


async def promote(one: Person) -> str:
    """Make the person an admin; return the agent's id."""
    id_ = str((await one.http.get("/api/agents/me")).json()["id"])
    path, admin = f"/api/admin/agents/{id_}", logged_in(AGENT)
    made = await one.http.patch(path, json={"role": "admin"}, headers=admin)
    assert made.json()["role"] == "admin", made.text
    return id_
