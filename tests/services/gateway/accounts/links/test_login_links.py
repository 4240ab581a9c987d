"""One-time links to log in, made by an operator; two gateways take them."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from chassis.mongo.client import Database
from ops import accounts
from ops.errors import OperatorError
from services.gateway.accounts.links.login_links import LOGIN_LINK_LIFE, ONCE, LoginLinks
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.second_factor import SecondFactors
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.errors import InvalidField, TooManyRequests
from services.gateway.settings import GatewaySettings
from tests.services.gateway.accounts.conftest import Replicas
from tests.services.gateway.accounts.stored_sessions import OLD
from tests.services.gateway.accounts.test_browser_sessions import COOKIE, FOREIGN_PAGES, OWN_PAGE
from tests.services.gateway.accounts.test_second_factor import WRONG, App, asks_for_code
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, accounts_database, person

SITE = "https://realtoros.example"
FORGED, LIMIT = 1_000, 60


async def token_for(mongodb: str, email: str) -> str:
    """Return the token of a new link."""
    page, _, token = (await accounts.add_login_link(mongodb, email, SITE)).partition("#once=")
    assert page == f"{SITE}/login/"
    return token


async def follow(
    browser: httpx2.AsyncClient, token: str, headers: dict[str, str] = OWN_PAGE, **more: str
) -> httpx2.Response:
    body = {"token": token} | more
    return await browser.post("/api/auth/link", json=body, headers=headers)


@contextlib.asynccontextmanager
async def browser_at(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http:
        yield http


async def change_link(mongodb: str, token: str, **fields: datetime) -> None:
    presented = OpaqueToken.parse(token, ONCE)
    assert presented
    async with accounts_database(mongodb) as database:
        await database["login_links"].update_one({"_id": presented.id}, {"$set": fields})


async def test_it_logs_a_browser_in_as_the_password_does(replicas: Replicas) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        # As it is typed, not as it is stored.
        followed = await follow(http, await token_for(replicas.mongodb, ana.email.upper()))
        assert followed.status_code == 204, followed.text
        assert followed.headers["cache-control"] == "no-store"
        by_link = followed.headers["set-cookie"].split("; ")[1:]
        login = {"email": ana.email, "password": PASSWORD}
        by_password = await ana.http.post("/api/auth/session", json=login, headers=OWN_PAGE)
        assert sorted(by_link) == sorted(by_password.headers["set-cookie"].split("; ")[1:])
        assert (await http.get("/api/agents/me")).json()["login"] == ana.email


async def test_of_many_uses_at_once_at_two_gateways_one_has_it(replicas: Replicas) -> None:
    one, other = replicas.urls
    async with person(one) as ana, browser_at(one) as here, browser_at(other) as there:
        token = await token_for(replicas.mongodb, ana.email)
        answers = await asyncio.gather(*(follow(http, token) for http in [here, there] * 5))
        assert sorted(answer.status_code for answer in answers) == [204] + [422] * 9
        problem(await follow(here, token), 422, "token")


async def test_it_is_dead_after_ten_minutes(replicas: Replicas) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        token = await token_for(replicas.mongodb, ana.email)
        await change_link(replicas.mongodb, token, expires_at=datetime.now(UTC))
        problem(await follow(http, token), 422, "token")
        assert COOKIE not in http.cookies
    assert timedelta(minutes=10) == LOGIN_LINK_LIFE


@pytest.mark.parametrize("page", FOREIGN_PAGES)
async def test_other_pages_log_nobody_in_by_it(replicas: Replicas, page: str) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        token = await token_for(replicas.mongodb, ana.email)
        refused = await follow(http, token, FOREIGN_PAGES[page])
        problem(refused, 403)
        assert "set-cookie" not in refused.headers
        assert (await follow(http, token)).status_code == 204, "it was not used"


async def test_it_is_dead_with_its_account_or_another_password(replicas: Replicas) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        token = await token_for(replicas.mongodb, ana.email)
        new = {"current_password": PASSWORD, "new_password": "another horse battery"}
        assert (await ana.post("/api/auth/password", **new)).status_code == 204
        problem(await follow(http, token), 422, "token")
        token = await token_for(replicas.mongodb, ana.email)
        async with accounts_database(replicas.mongodb) as database:
            await database["accounts"].update_one({"email": ana.email}, {"$set": {"active": False}})
        problem(await follow(http, token), 422, "token")
        with pytest.raises(OperatorError, match="no active account"):
            await token_for(replicas.mongodb, ana.email)


async def test_it_does_not_stand_for_the_second_factor(replicas: Replicas) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        app = App(replicas, ana)
        await app.add()
        token = await token_for(replicas.mongodb, ana.email)
        asks_for_code(await follow(http, token))
        asks_for_code(await follow(http, token, code=WRONG))
        assert (await follow(http, token, code=await app.code())).status_code == 204
        assert (await http.get("/api/agents/me")).json()["second_factor"] is True


async def test_its_secret_is_not_stored(replicas: Replicas) -> None:
    async with person(replicas.urls[0]) as ana:
        _, id_, secret = (await token_for(replicas.mongodb, ana.email)).split("_", 2)
        async with accounts_database(replicas.mongodb) as database:
            stored = await database["login_links"].find_one({"_id": UUID(hex=id_)})
            assert stored
            assert secret not in str(stored)
            indexes = await database["login_links"].index_information()
            assert [one for one in indexes.values() if one.get("expireAfterSeconds") == 0]


def links_of(database: Database, limit: int) -> LoginLinks:
    settings = GatewaySettings(
        kafka_bootstrap_servers="k:1",
        mongodb_uri="mongodb://m",
        token_keys=OLD,
        unsubscribe_keys=OLD,
        logins_per_address=limit,
    )
    limits = LoginLimits(settings, database)
    return LoginLinks(database, SecondFactors(database, limits), limits)


async def guess(links: LoginLinks, times: int) -> None:
    """Try so many tokens, all from one network."""
    for _ in range(times):
        with contextlib.suppress(InvalidField):
            await links.log_in("once_x", None, "another")


async def test_no_forged_token_opens_anything_and_a_network_has_few_attempts(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana, accounts_database(replicas.mongodb) as database:
        token = OpaqueToken.parse(await token_for(replicas.mongodb, ana.email), ONCE)
        assert token
        links = links_of(database, limit=2 * FORGED)
        for _ in range(FORGED):
            forged = token._replace(random=secrets.token_urlsafe(32))
            with pytest.raises(InvalidField, match="was used"):
                await links.log_in(str(forged), None, "forger")
        for text in (str(token._replace(kind="bs")), f"{token}=", str(token).upper(), "", "_" * 3):
            with pytest.raises(InvalidField, match="was used"):
                await links.log_in(text, None, "forger")
        few = links_of(database, limit=LIMIT)
        with pytest.raises(TooManyRequests):
            await guess(few, 2 * LIMIT + 1)
        account = await links.log_in(str(token), None, "its own")
        assert account.email == ana.email, "a forged use has ended it"


async def test_it_ends_nothing_else(replicas: Replicas) -> None:
    url = replicas.urls[0]
    async with person(url) as ana, browser_at(url) as http:
        assert (await follow(http, await token_for(replicas.mongodb, ana.email))).is_success
        assert (await ana.http.get("/api/agents/me")).is_success
        assert (await ana.log_in()).is_success
