"""A browser's session: a cookie, with which only pages of this address may change anything."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from services.gateway.accounts.sessions import BROWSER, PROLONGED_EVERY, REFRESH
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.errors import InvalidCredentials
from services.gateway.http.own_pages import CSRF_HEADER
from tests.servers import Server
from tests.services.gateway.accounts.stored_sessions import an_account, sessions_of
from tests.services.gateway.conftest import Api
from tests.services.gateway.live_clients import EventStream, Socket, hello
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, accounts_database, person

COOKIE = "realtoros"
CLICK = {CSRF_HEADER: "1"}
OWN_PAGE = CLICK | {"Sec-Fetch-Site": "same-origin"}
FOREIGN_PAGES = {
    "of another site": CLICK | {"Sec-Fetch-Site": "cross-site"},
    "of another host of the site": CLICK | {"Sec-Fetch-Site": "same-site"},
    "of no page": CLICK | {"Sec-Fetch-Site": "none"},
    "of another origin": CLICK | {"Origin": "https://evil.example"},
    "of a sandboxed frame": CLICK | {"Origin": "null"},
    "of a browser that tells nothing": CLICK,
    "without the header": {"Sec-Fetch-Site": "same-origin"},
}
CSV = b"name,email\nCy,cy@mail.example.com\n"
WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a client": ("POST", "/api/clients", {"json": {"name": "Bo", "email": "bo@mail.example.com"}}),
    "an import": ("POST", "/api/clients/import", {"files": {"file": ("a.csv", CSV, "text/csv")}}),
    "a key": ("POST", "/api/keys", {"json": {"name": "Mine", "current_password": PASSWORD}}),
    "a log-out": ("POST", "/api/auth/logout", {}),
}


async def log_in(one: Person, **headers: str) -> httpx2.Response:
    body = {"email": one.email, "password": PASSWORD}
    return await one.http.post("/api/auth/session", json=body, headers=headers)


@contextlib.asynccontextmanager
async def browser(url: httpx2.URL | str) -> AsyncIterator[Person]:
    """A new person, logged in by the cookie alone."""
    async with person(url) as one:
        del one.http.headers["Authorization"]
        answer = await log_in(one, **OWN_PAGE)
        assert answer.status_code == 204, answer.text
        yield one


@pytest.mark.parametrize("page", ["of this address", "where Origin alone tells"])
async def test_pages_of_this_address_read_and_write_by_the_cookie(api: Api, page: str) -> None:
    base = api.http.base_url
    origin = CLICK | {"Origin": f"http://{base.host}:{base.port}"}
    headers = OWN_PAGE if page == "of this address" else origin
    async with browser(base) as ana:
        assert (await ana.http.get("/api/agents/me")).json()["login"] == ana.email
        for method, path, body in WRITES.values():
            answer = await ana.http.request(method, path, headers=headers, **body)
            assert answer.is_success, answer.text


@pytest.mark.parametrize("page", FOREIGN_PAGES)
async def test_other_pages_write_nothing_by_it_and_log_nobody_in(api: Api, page: str) -> None:
    headers = FOREIGN_PAGES[page]
    async with browser(api.http.base_url) as ana:
        for method, path, body in WRITES.values():
            problem(await ana.http.request(method, path, headers=headers, **body), 403)
        refused = await log_in(ana, **headers)
        problem(refused, 403)
        assert "set-cookie" not in refused.headers
        assert (await ana.http.get("/api/keys")).json() == []
        assert (await ana.http.get("/api/clients")).json() == []


async def test_a_token_needs_none_of_it_also_where_there_is_a_cookie(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        assert (await log_in(ana, **OWN_PAGE)).status_code == 204
        foreign = FOREIGN_PAGES["of another origin"]
        method, path, body = WRITES["a key"]
        made = await ana.http.request(method, path, headers=foreign, **body)
        assert made.is_success, made.text


async def test_the_timeline_is_sent_to_the_cookie_by_events_and_by_socket(api: Api) -> None:
    base = api.http.base_url
    url = f"ws://{base.host}:{base.port}/api/ws"
    own = Origin(f"http://{base.host}:{base.port}")
    async with browser(base) as ana:
        cookie = {"Cookie": f"{COOKIE}={ana.http.cookies[COOKIE]}"}
        async with ana.http.stream("GET", "/api/events") as response:
            assert response.status_code == 200
            await hello(EventStream(response))
        async with connect(url, additional_headers=cookie, origin=own, proxy=None) as socket:
            await hello(Socket(socket))
        for origin in (None, Origin("https://evil.example")):
            with pytest.raises(InvalidStatus) as refused:
                async with connect(url, additional_headers=cookie, origin=origin, proxy=None):
                    pass
            assert refused.value.response.status_code == 403


async def test_scripts_cannot_read_it_and_other_sites_do_not_send_it(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        answer = await log_in(ana, **OWN_PAGE)
        value, *attributes = answer.headers["set-cookie"].split("; ")
        assert value == f"{COOKIE}={ana.http.cookies[COOKIE]}"
        assert {"HttpOnly", "Path=/", "SameSite=strict", f"Max-Age={90 * 86_400}"} == set(
            attributes
        )
        assert answer.headers["cache-control"] == "no-store"
        wrong = {"email": ana.email, "password": "wrong"}
        problem(await ana.http.post("/api/auth/session", json=wrong, headers=OWN_PAGE), 401)


async def test_a_log_out_ends_it_and_takes_the_cookie_away(api: Api) -> None:
    async with browser(api.http.base_url) as ana:
        stolen = {"Cookie": f"{COOKIE}={ana.http.cookies[COOKIE]}"}
        answer = await ana.http.post("/api/auth/logout", headers=OWN_PAGE)
        assert answer.status_code == 204
        assert COOKIE not in ana.http.cookies
        problem(await ana.http.get("/api/agents/me", headers=stolen), 401)


async def test_a_new_password_ends_it_in_all_browsers_but_this(api: Api) -> None:
    async with (
        browser(api.http.base_url) as ana,
        httpx2.AsyncClient(base_url=api.http.base_url, timeout=30, trust_env=False) as other,
    ):
        phone = Person(other, ana.email)
        assert (await log_in(phone, **OWN_PAGE)).status_code == 204
        new = {"current_password": PASSWORD, "new_password": "another horse battery"}
        changed = await ana.http.post("/api/auth/password", json=new, headers=OWN_PAGE)
        assert changed.status_code == 204, changed.text
        assert (await ana.http.get("/api/agents/me")).is_success
        problem(await phone.http.get("/api/agents/me"), 401)


async def test_it_lasts_as_long_as_it_is_used_but_not_for_ever(mongodb_server: Server) -> None:
    async with accounts_database(mongodb_server.address) as database:
        sessions = sessions_of(database, refresh_token_days=30, session_days=90)
        token, now = (
            await sessions.begin_in_browser(await an_account(database), ""),
            datetime.now(UTC),
        )

        async def used(**fields: datetime) -> timedelta | None:
            """Use the session as it is then; return how long it lives on."""
            await database["sessions"].update_one({"_id": token.id}, {"$set": fields})
            if await sessions.find_in_browser(token) is None:
                return None
            stored = await database["sessions"].find_one({"_id": token.id})
            assert stored
            expires_at: datetime = stored["expires_at"]
            return expires_at - now

        day, moment = timedelta(days=1), timedelta(minutes=1)
        lately, long_ago = now - PROLONGED_EVERY + moment, now - PROLONGED_EVERY
        soon = await used(expires_at=now + day, last_used_at=lately)
        assert soon
        assert soon < day + moment, "a write for each request"
        later = await used(expires_at=now + day, last_used_at=long_ago)
        assert later
        assert 30 * day <= later < 30 * day + 5 * moment
        last = await used(expires_at=now + moment, began_at=now - 89 * day, last_used_at=long_ago)
        assert last
        assert last < day + moment
        assert await used(expires_at=now + day, began_at=now - 91 * day) is None
        assert await used(expires_at=now - moment, began_at=now) is None


async def test_no_other_token_is_taken_for_it_nor_it_for_another(mongodb_server: Server) -> None:
    async with accounts_database(mongodb_server.address) as database:
        sessions = sessions_of(database)
        account = await an_account(database)
        token = await sessions.begin_in_browser(account, "")
        tokens = await sessions.begin(account, "")
        for _ in range(1_000):
            forged = OpaqueToken(BROWSER, token.id, secrets.token_urlsafe(32))
            assert await sessions.find_in_browser(forged) is None
        refresh = OpaqueToken.parse(tokens.refresh, REFRESH)
        assert refresh
        assert await sessions.find_in_browser(refresh._replace(kind=BROWSER)) is None
        with pytest.raises(InvalidCredentials):
            await sessions.refresh(str(token._replace(kind=REFRESH)))
        assert await sessions.find_in_browser(token), "a wrong use has ended it"


async def test_it_is_not_stored(api: Api, mongodb_server: Server) -> None:
    async with browser(api.http.base_url) as ana:
        _, id_, secret = ana.http.cookies[COOKIE].split("_", 2)
        async with accounts_database(mongodb_server.address) as database:
            stored = await database["sessions"].find_one({"_id": UUID(hex=id_)})
            assert stored
            assert secret not in str(stored)
