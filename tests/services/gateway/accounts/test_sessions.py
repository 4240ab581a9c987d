"""Refresh tokens: exchanged, exchanged twice at once, stolen, forged; and how sessions end."""

import asyncio
import random
import string
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Database
from services.gateway.accounts.sessions import MAX_IN_GRACE, REFRESH
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.errors import InvalidCredentials
from services.gateway.settings import GatewaySettings
from tests.servers import Server
from tests.services.gateway.accounts.conftest import Replicas
from tests.services.gateway.accounts.stored_sessions import NEW, OLD, an_account, sessions_of
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, accounts_database, end_grace, person

FORGED = 1_000


@pytest.fixture
async def database(api: Api, mongodb_server: Server) -> AsyncIterator[Database]:
    async with accounts_database(mongodb_server.address) as database:
        yield database


async def change_session(database: Database, token: str, **fields: object) -> None:
    parsed = OpaqueToken.parse(token, REFRESH)
    assert parsed
    await database["sessions"].update_one({"_id": parsed.id}, {"$set": fields})


async def refreshed(one: Person, token: str) -> str:
    answer = await one.post("/api/auth/refresh", refresh_token=token)
    assert answer.is_success, answer.text
    return str(answer.json()["refresh_token"])


async def test_tabs_that_refresh_at_once_get_the_same_token_at_any_replica(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana, replicas.another(ana.email) as tab:
        first = ana.refresh_token
        both = [ana, tab] * 5
        found = set(await asyncio.gather(*(refreshed(one, first) for one in both)))
        assert len(found) == 1
        [second] = found - {first}
        # And so on: nobody is thrown out.
        assert await refreshed(tab, second) == await refreshed(ana, second)
        # The slowest tab, too, gets what it would have got.
        assert await refreshed(ana, first) == second


async def test_an_answer_that_was_lost_with_its_gateway_is_given_again(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana:
        lost = await refreshed(ana, ana.refresh_token)
        await replicas.running.kill("gateway")
        await replicas.running.start("gateway")
        assert await refreshed(ana, ana.refresh_token) == lost


async def test_a_token_that_is_used_long_after_its_exchange_ends_the_session(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana, replicas.another(ana.email) as thief:
        stolen = ana.refresh_token
        ana.take(await ana.post("/api/auth/refresh", refresh_token=stolen))
        await end_grace(replicas.mongodb, stolen)
        problem(await thief.post("/api/auth/refresh", refresh_token=stolen), 401)
        # The thief or the owner: nobody goes on with it.
        problem(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token), 401)
        ana.take(await ana.log_in())
        assert (await ana.http.get("/api/agents/me")).is_success


async def test_no_token_is_stored(database: Database, api: Api) -> None:
    async with person(api.http.base_url) as ana:
        second = await refreshed(ana, ana.refresh_token)
        _, id_, _ = second.split("_", 2)
        stored = str(await database["sessions"].find_one({"_id": UUID(id_)}))
        for token in (ana.refresh_token, second):
            assert token.split("_", 2)[2] not in stored


async def test_the_successor_is_the_same_while_signing_keys_are_rotated(
    database: Database,
) -> None:
    before, after = (sessions_of(database, keys) for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}"))
    first = (await before.begin(await an_account(database), "")).refresh
    second = (await before.refresh(first)).refresh
    assert (await after.refresh(first)).refresh == second
    third = (await after.refresh(second)).refresh
    assert (await before.refresh(second)).refresh == third
    # Of one who does not know the key of then, nobody gets the token.
    with pytest.raises(InvalidCredentials):
        await sessions_of(database, NEW).refresh(first)


async def test_only_the_last_few_exchanged_tokens_are_still_good(database: Database) -> None:
    sessions = sessions_of(database, OLD)
    tokens = [(await sessions.begin(await an_account(database), "")).refresh]
    for _ in range(MAX_IN_GRACE + 1):
        tokens.append((await sessions.refresh(tokens[-1])).refresh)
    assert (await sessions.refresh(tokens[1])).refresh == tokens[2]
    with pytest.raises(InvalidCredentials):
        await sessions.refresh(tokens[0])
    with pytest.raises(InvalidCredentials):
        await sessions.refresh(tokens[-1])


async def test_a_session_ends_after_its_days_however_often_it_is_refreshed(
    database: Database, api: Api
) -> None:
    days = GatewaySettings.model_fields["session_days"].default
    assert days == 90
    now = datetime.now(UTC)
    async with person(api.http.base_url) as ana:
        began = now - timedelta(days=days - 1)
        await change_session(database, ana.refresh_token, began_at=began)
        ana.take(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token))
        parsed = OpaqueToken.parse(ana.refresh_token, REFRESH)
        stored = parsed and await database["sessions"].find_one({"_id": parsed.id})
        assert stored
        assert now < stored["expires_at"] <= began + timedelta(days=days, milliseconds=1)
        await change_session(database, ana.refresh_token, began_at=now - timedelta(days=days))
        problem(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token), 401)
        # Nor is its access token good, which nobody has shown yet.
        problem(await ana.http.get("/api/agents/me"), 401)


async def test_a_session_of_an_earlier_release_goes_on_and_ends_in_time(
    database: Database,
) -> None:
    sessions, account = sessions_of(database, OLD), await an_account(database)
    token = OpaqueToken.new(REFRESH, uuid4())
    until = datetime.now(UTC) + timedelta(days=1)
    old = {"agent_id": account.id, "current": token.digest, "expires_at": until}
    await database["sessions"].insert_one({"_id": token.id, **old})
    second = (await sessions.refresh(str(token))).refresh
    stored = await database["sessions"].find_one({"_id": token.id})
    assert stored
    assert stored["began_at"] <= datetime.now(UTC)
    assert (await sessions.refresh(str(token))).refresh == second


async def test_a_new_password_ends_sessions_that_a_crash_kept_from_being_removed(
    database: Database, api: Api
) -> None:
    async with (
        person(api.http.base_url) as ana,
        person(api.http.base_url) as other,
    ):
        other.email = ana.email
        other.take(await other.log_in())
        id_ = UUID((await ana.http.get("/api/agents/me")).json()["id"])
        before = await database["sessions"].find({"agent_id": id_}).to_list()
        new = {"current_password": PASSWORD, "new_password": "a better horse battery"}
        assert (await ana.post("/api/auth/password", **new)).status_code == 204
        left = {session["_id"] for session in before}
        await database["sessions"].delete_many({"_id": {"$in": list(left)}})
        await database["sessions"].insert_many(before)
        problem(await other.http.get("/api/agents/me"), 401)
        problem(await other.post("/api/auth/refresh", refresh_token=other.refresh_token), 401)
        ana.take(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token))
        assert (await ana.http.get("/api/agents/me")).is_success


def forged(tokens: list[str], count: int) -> Iterator[str]:
    """Yield different texts that are none of the tokens: changed, cut, mixed and respelled."""
    chance = random.Random(13)
    letters = string.ascii_letters + string.digits + "-_= \t\u00e9\u0661"
    seen = set(tokens)
    while len(seen) < count + len(tokens):
        token, other = chance.sample(tokens, 2)
        kind, id_, secret = token.split("_", 2)
        at = chance.randrange(len(token))
        made = chance.choice(
            [
                token[:at] + chance.choice(letters) + token[at + 1 :],
                token[:at] + chance.choice(letters) + token[at:],
                token[:at] + token[at + 1 :],
                token[:at],
                token[at:],
                token[:at] + other[at:],
                f"{kind}_{id_}_{other.split('_', 2)[2]}",
                f"{kind}_{id_.upper()}_{secret}",
                f"{kind}_{UUID(id_)}_{secret}",
                f"{kind}_{{{id_}}}_{secret}",
                f"rk_{id_}_{secret}",
                f"{kind}_{uuid4().hex}_{secret}",
                f"{kind}_{id_}_{''.join(chance.choices(letters[:64], k=43))}",
                f"{kind}_{id_}_{secret.swapcase()}",
                f"{kind}_{id_}_{secret[::-1]}",
            ]
        )
        if made not in seen:
            seen.add(made)
            yield made


async def test_no_forged_refresh_token_is_ever_good(api: Api) -> None:
    async with person(api.http.base_url) as ana, person(api.http.base_url) as bo:
        exchanged = ana.refresh_token
        ana.take(await ana.post("/api/auth/refresh", refresh_token=exchanged))
        tokens = [exchanged, ana.refresh_token, bo.refresh_token]
        statuses = [
            (await ana.post("/api/auth/refresh", refresh_token=one)).status_code
            for one in forged(tokens, FORGED)
        ]
        assert len(statuses) == FORGED
        assert set(statuses) == {401}
        # Nor did any of them end a session.
        ana.take(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token))
        bo.take(await bo.post("/api/auth/refresh", refresh_token=bo.refresh_token))


async def test_an_agent_sees_and_ends_the_sessions_that_are_elsewhere(replicas: Replicas) -> None:
    async with (
        person(replicas.urls[0]) as ana,
        replicas.another(ana.email) as phone,
        replicas.another(ana.email) as tablet,
        person(replicas.urls[0]) as eve,
    ):
        tablet.take(await tablet.log_in())
        phone.http.headers["User-Agent"] = "Phone " + 400 * "x"
        phone.take(await phone.log_in())
        listed = (await ana.http.get("/api/auth/sessions")).json()
        assert [one["is_current"] for one in listed] == [False, False, True]
        newest = listed[0]
        assert newest["user_agent"] == ("Phone " + 400 * "x")[:300]
        assert not newest["in_browser"]
        assert newest["began_at"] == newest["last_used_at"] < newest["expires_at"]
        assert (await eve.http.get("/api/auth/sessions")).headers["x-total-count"] == "1"
        problem(await eve.http.delete(f"/api/auth/sessions/{newest['_id']}"), 404)
        assert (await phone.http.get("/api/agents/me")).is_success
        ended = await ana.http.delete(f"/api/auth/sessions/{newest['_id']}")
        assert ended.status_code == 204, ended.text
        problem(await phone.post("/api/auth/refresh", refresh_token=phone.refresh_token), 401)
        assert (await ana.http.delete("/api/auth/sessions")).status_code == 204
        problem(await tablet.post("/api/auth/refresh", refresh_token=tablet.refresh_token), 401)
        [left] = (await ana.http.get("/api/auth/sessions")).json()
        assert left["is_current"]
        assert (await eve.http.get("/api/agents/me")).is_success


async def test_sessions_that_a_change_or_time_has_ended_are_not_listed(
    database: Database, api: Api
) -> None:
    async with person(api.http.base_url) as ana:
        old = ana.refresh_token
        ana.take(await ana.log_in())
        await change_session(database, old, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        [only] = (await ana.http.get("/api/auth/sessions")).json()
        assert only["is_current"]
        # Of another version than the account's, which only a crash leaves behind.
        await change_session(database, old, version=7, expires_at=datetime.now(UTC) + timedelta(1))
        assert (await ana.http.get("/api/auth/sessions")).headers["x-total-count"] == "1"
