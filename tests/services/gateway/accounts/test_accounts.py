"""Registering, logging in and out, refreshing, passwords, and what admins do with accounts."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4

import httpx2
import jwt
import pytest

from services.gateway.accounts.tokens import AccessTokens, OpaqueToken
from services.gateway.settings import GatewaySettings
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, person, promote
from tests.system import AGENT, TOKEN_KEYS, logged_in
from tests.writes import carried_out

NAME, KEY = TOKEN_KEYS.split(":")
OF_AN_ACCOUNT: int = GatewaySettings.model_fields["logins_per_account"].default
ISSUER = "http://localhost:8000"


async def added_by_admin(api: Api, new: dict[str, str]) -> httpx2.Response:
    return await api.http.post("/api/admin/agents", json=new, headers=logged_in(AGENT))


async def test_who_has_an_account_is_an_agent_at_once_and_owns_his_clients(api: Api) -> None:
    async with person(api.http.base_url, name="Ana Ruiz", time_zone="Europe/Madrid") as ana:
        me = (await ana.http.get("/api/agents/me")).json()
        assert (me["name"], me["login"], me["role"]) == ("Ana Ruiz", ana.email, "agent")
        assert me["time_zone"] == "Europe/Madrid"
        bo = {"name": "Bo", "email": "bo@clients.example.com"}
        added = await carried_out(ana.http, "/api/clients", bo)
        assert added.status_code == 201
        path = added.headers["location"]
        assert (await ana.http.get(path)).json()["agent_id"] == me["id"]
        # For another agent, even an admin, it does not exist.
        problem(await api.http.get(path), 404)
        assert (await ana.http.get("/api/clients")).headers["x-total-count"] == "1"


async def test_an_email_has_one_account_whatever_its_case(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        again = {"email": ana.email.upper(), "password": PASSWORD, "name": "Ana"}
        problem(await added_by_admin(api, again), 409, "email")
        assert (await ana.log_in()).is_success


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"email": "nobody"}, "email"),
        ({"name": ""}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"role": "admin"}, "role"),
    ],
)
async def test_an_invalid_registration_names_the_field(
    api: Api, fields: dict[str, str], wrong: str
) -> None:
    good = {"email": "new@agents.example.com", "password": PASSWORD, "name": "New"}
    answer = problem(await api.http.post("/api/auth/register", json=good | fields), 422, wrong)
    assert PASSWORD not in answer


async def test_a_profile_is_changed_field_by_field_and_published(api: Api) -> None:
    async with person(api.http.base_url, title="Broker", company="Reed & Co") as ana:
        change = {"title": None, "signature": "Warmly,\nAna", "reply_to": "ana@reed.example.com"}
        me = (await ana.http.patch("/api/agents/me", json=change)).json()
        assert (me["title"], me["company"]) == (None, "Reed & Co")
        assert me["signature"] == "Warmly,\nAna"
        assert (await ana.http.get("/api/agents/me")).json() == me
        for wrong in ({"time_zone": "x"}, {"name": None}, {"login": "x"}):
            problem(await ana.http.patch("/api/agents/me", json=wrong), 422, *wrong)


async def test_an_agent_has_sending_hours_of_their_own_or_the_installation_s(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        assert (await ana.http.get("/api/agents/me")).json()["sending_hours"] is None
        hours = {"days": ["mon", "fri"], "start": "09:00", "end": "17:30"}
        me = (await ana.http.patch("/api/agents/me", json={"sending_hours": hours})).json()
        assert me["sending_hours"] == hours
        for wrong, field in (
            (hours | {"end": "09:00"}, "sending_hours.end"),
            (hours | {"start": "nine"}, "sending_hours.start"),
            (hours | {"days": []}, "sending_hours.days"),
            (hours | {"zone": "UTC"}, "sending_hours.zone"),
            # Nobody's days are forgotten by giving another hour alone.
            ({"start": "09:00", "end": "18:00"}, "sending_hours.days"),
        ):
            refused = await ana.http.patch("/api/agents/me", json={"sending_hours": wrong})
            problem(refused, 422, field)
        me = (await ana.http.patch("/api/agents/me", json={"sending_hours": None})).json()
        assert me["sending_hours"] is None


async def test_a_profile_says_what_the_end_of_a_letter_has_to_say(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        change = {
            "postal_address": "Reed & Co\n1 Main Street\nSpringfield, IL 62701",
            "disclosure": "Licensed in Illinois, no. 471.000000",
            "website": "https://reed.example.com/homes",
            "language": "es-US",
        }
        me = (await ana.http.patch("/api/agents/me", json=change)).json()
        assert {name: me[name] for name in change} == change
        me = (await ana.http.patch("/api/agents/me", json=dict.fromkeys(change))).json()
        assert {me[name] for name in change} == {None}
        for wrong in (
            {"postal_address": "x" * 301},
            {"disclosure": "x" * 1001},
            {"website": "javascript:alert(1)"},
            {"website": "reed.example.com"},
            {"website": f"https://{'x' * 200}"},
            {"language": "English"},
        ):
            problem(await ana.http.patch("/api/agents/me", json=wrong), 422, *wrong)


async def test_changes_of_a_profile_at_the_same_moment_are_all_made(api: Api) -> None:
    changes = [{"title": "Broker"}, {"company": "Reed & Co"}, {"phone": "555-0100"}]
    async with person(api.http.base_url) as ana:
        path = "/api/agents/me"
        answers = await asyncio.gather(*(ana.http.patch(path, json=one) for one in changes))
        assert [answer.status_code for answer in answers] == [200] * 3
        me = await ana.http.get(path)
        assert all(me.json().items() >= change.items() for change in changes)
        read = {"If-None-Match": me.headers["etag"]}
        assert (await ana.http.get(path, headers=read)).status_code == 304
        meant = {"If-Match": me.headers["etag"]}
        assert (await ana.http.patch(path, json={"title": None}, headers=meant)).is_success
        problem(await ana.http.patch(path, json={"title": "X"}, headers=meant), 412)


async def test_a_wrong_password_and_a_missing_account_look_the_same(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        wrong = await ana.log_in("a wrong password")
        ana.email = f"{uuid4().hex}@agents.example.com"
        nobody = await ana.log_in()
    problem(wrong, 401)
    problem(nobody, 401)
    assert wrong.content == nobody.content
    assert wrong.headers["www-authenticate"] == "Bearer"


async def test_guessing_a_password_is_limited_by_account_and_success_resets_it(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        for _ in range(OF_AN_ACCOUNT - 1):
            problem(await ana.log_in("a wrong password"), 401)
        assert (await ana.log_in()).is_success
        for _ in range(OF_AN_ACCOUNT):
            problem(await ana.log_in("a wrong password"), 401)
        refused = await ana.log_in("a wrong password")
        for _ in range(OF_AN_ACCOUNT):
            # As many again where a span of time ends between them.
            if refused.status_code != 401:
                break
            refused = await ana.log_in("a wrong password")
        problem(refused, 429)
        # From now on not even the right one is looked at.
        refused = await ana.log_in(PASSWORD)
        problem(refused, 429)
        assert 0 < int(refused.headers["retry-after"]) <= 300


async def test_who_knows_a_session_s_id_cannot_end_it(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        access = ana.http.headers["Authorization"].removeprefix("Bearer ")
        session = UUID(jwt.decode(access, options={"verify_signature": False})["sid"])
        guess = str(OpaqueToken.new("rt", session))
        problem(await ana.post("/api/auth/refresh", refresh_token=guess), 401)
        ana.take(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token))


@pytest.mark.parametrize(
    "token", ["", "x", "rt_x_y", f"rt_{UUID(int=7).hex}_z", f"rk_{UUID(int=7).hex}_z"]
)
async def test_what_is_no_refresh_token_is_refused(api: Api, token: str) -> None:
    problem(await api.http.post("/api/auth/refresh", json={"refresh_token": token}), 401)


async def test_who_logs_out_is_out_with_both_tokens_and_only_there(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        other = Person(httpx2.AsyncClient(base_url=api.http.base_url, trust_env=False), ana.email)
        other.take(await other.log_in())
        assert (await ana.http.post("/api/auth/logout")).status_code == 204
        problem(await ana.http.get("/api/agents/me"), 401)
        problem(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token), 401)
        assert (await other.http.get("/api/agents/me")).is_success
        await other.http.aclose()


async def test_a_new_password_ends_the_other_log_ins(api: Api) -> None:
    async with (
        person(api.http.base_url) as ana,
        httpx2.AsyncClient(base_url=api.http.base_url, trust_env=False) as http,
    ):
        other = Person(http, ana.email)
        other.take(await other.log_in())
        new = "a better horse battery"
        path = "/api/auth/password"
        wrong = await ana.post(path, current_password="not this one", new_password=new)
        problem(wrong, 401)
        done = await ana.post(path, current_password=PASSWORD, new_password=new)
        assert done.status_code == 204
        assert (await ana.http.get("/api/agents/me")).is_success
        problem(await other.http.get("/api/agents/me"), 401)
        problem(await other.log_in(), 401)
        other.take(await other.log_in(new))


async def test_a_new_password_revokes_the_keys_when_that_is_asked_for(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        key = (await ana.make_key("CRM")).json()["key"]
        by_key = {"Authorization": f"Bearer {key}"}
        path, new = "/api/auth/password", "a better horse battery"
        kept = await ana.post(path, current_password=PASSWORD, new_password=new)
        assert kept.status_code == 204
        assert (await ana.http.get("/api/clients", headers=by_key)).is_success
        passwords = {"current_password": new, "new_password": PASSWORD}
        assert (await ana.post(path, **passwords, revoke_keys=True)).status_code == 204
        problem(await ana.http.get("/api/clients", headers=by_key), 401)
        assert (await ana.http.get("/api/keys")).json() == []
        # One that is made afterwards is good.
        key = (await ana.make_key("CRM")).json()["key"]
        by_key = {"Authorization": f"Bearer {key}"}
        assert (await ana.http.get("/api/clients", headers=by_key)).is_success


async def test_the_log_in_s_address_is_changed_with_the_password(api: Api) -> None:
    async with person(api.http.base_url) as ana, person(api.http.base_url) as bo:
        path, old, new = "/api/auth/email", ana.email, f"{uuid4().hex}@Agents.example.com"
        problem(await ana.post(path, email=new), 422, "current_password")
        problem(await ana.post(path, email=new, current_password="wrong"), 401)
        problem(await ana.post(path, email="nobody", current_password=PASSWORD), 422, "email")
        taken = await ana.post(path, email=bo.email.upper(), current_password=PASSWORD)
        problem(taken, 409, "email")
        assert (await ana.post(path, email=new, current_password=PASSWORD)).status_code == 204
        me = (await ana.http.get("/api/agents/me")).json()
        assert (me["login"], me["email"]) == (new.lower(), old)
        problem(await ana.log_in(), 401)
        ana.email = new
        ana.take(await ana.log_in())


def tokens_of(**changed: object) -> AccessTokens:
    plain: dict[str, object] = {
        "keys": {NAME: KEY},
        "issuer": ISSUER,
        "life": timedelta(minutes=1),
    }
    return AccessTokens(**(plain | changed))  # type: ignore[arg-type]


async def test_only_an_access_token_that_is_signed_current_and_meant_for_us_is_taken(
    api: Api,
) -> None:
    async with person(api.http.base_url) as ana:
        good = ana.http.headers["Authorization"].removeprefix("Bearer ")
        said = jwt.decode(good, options={"verify_signature": False})
        agent_id, session = UUID(said["sub"]), UUID(said["sid"])
        now = datetime.now(UTC)

        def forged(
            key: str = KEY, kid: str = NAME, algorithm: str = "HS256", **claims: object
        ) -> str:
            return jwt.encode(said | claims, key, algorithm=algorithm, headers={"kid": kid})

        async def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return (await ana.http.get("/api/agents/me", headers=headers)).status_code

        assert await status(tokens_of().issue(agent_id, session)) == 200
        assert await status(forged()) == 200
        # Issued by a gateway whose clock is ahead: 60 s are allowed, but not to live longer.
        for claim in ("iat", "nbf"):
            ahead: dict[str, Any] = {claim: now + timedelta(seconds=50)}
            assert await status(forged(**ahead)) == 200
            ahead = {claim: now + timedelta(seconds=120)}
            assert await status(forged(**ahead)) == 401
        assert await status(forged(exp=now - timedelta(seconds=1))) == 401
        assert await status(tokens_of(keys={"old": KEY}).issue(agent_id, session)) == 401
        assert await status(tokens_of(keys={NAME: "x" * 40}).issue(agent_id, session)) == 401
        assert (
            await status(tokens_of(issuer="http://other.example").issue(agent_id, session)) == 401
        )
        assert await status(tokens_of(life=-timedelta(seconds=1)).issue(agent_id, session)) == 401
        assert await status(tokens_of().issue(agent_id, uuid4())) == 401
        for claims in ({"aud": "other"}, {"exp": now - timedelta(1)}, {"sid": "x"}, {"sub": 7}):
            assert await status(forged(**claims)) == 401, claims
        assert await status(forged(algorithm="HS512")) == 401
        assert await status(jwt.encode(said, "", algorithm="none", headers={"kid": NAME})) == 401
        assert await status("x") == 401
        assert await status(f"{good}x") == 401


async def test_an_admin_manages_the_agents(api: Api) -> None:
    async with person(api.http.base_url) as ana:
        me = (await ana.http.get("/api/agents/me")).json()["id"]
        problem(await ana.http.get("/api/admin/agents"), 403)
        list_page = (await api.http.get("/api/admin/agents?limit=100")).json()
        assert me in [account["_id"] for account in list_page]
        assert not any("password" in account for account in list_page)
        path = f"/api/admin/agents/{me}"
        await promote(ana)
        await api.get_until("/health/live", lambda _: True)
        assert (await ana.http.get("/api/admin/agents")).is_success
        admin = logged_in(AGENT)
        locked = await api.http.patch(path, json={"active": False}, headers=admin)
        assert locked.json()["active"] is False
        problem(await ana.http.get("/api/agents/me"), 401)
        problem(await ana.log_in(), 401)
        problem(await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token), 401)
        change = {"active": True, "password": "set by the admin", "role": "agent"}
        assert (await api.http.patch(path, json=change, headers=admin)).is_success
        ana.take(await ana.log_in("set by the admin"))
        problem(await ana.http.get("/api/admin/agents"), 403)
        path = f"/api/admin/agents/{uuid4()}"
        problem(await api.http.patch(path, json={"role": "admin"}, headers=admin), 404)


async def test_an_admin_adds_agents_and_cannot_lock_himself_out(api: Api) -> None:
    new = {"email": f"{uuid4().hex}@agents.example.com", "password": PASSWORD, "name": "Sam"}
    body = new | {"role": "admin"}
    made = await api.http.post("/api/admin/agents", json=body, headers=logged_in(AGENT))
    assert made.status_code == 201
    assert made.json()["role"] == "admin"
    async with httpx2.AsyncClient(base_url=api.http.base_url, trust_env=False) as http:
        sam = Person(http, new["email"])
        sam.take(await sam.log_in())
        assert (await sam.http.get("/api/agents/me")).json()["name"] == "Sam"
        for change in ({"role": "agent"}, {"active": False}):
            path = f"/api/admin/agents/{made.json()['_id']}"
            problem(await sam.http.patch(path, json=change), 422, *change)


async def test_every_spelling_of_an_address_logs_in_to_its_one_account(api: Api) -> None:
    w = uuid4().hex[:10]
    shown, wire = f"jo.{w}@bücher.example.com", f"Jo.{w}@XN--BCHER-KVA.example.com"
    about = {"password": PASSWORD, "name": "Jo"}
    first = await added_by_admin(api, about | {"email": wire})
    assert first.status_code == 201
    problem(await added_by_admin(api, about | {"email": shown}), 409, "email")
    for email in (shown, wire, shown.upper(), normalize("NFD", shown)):
        credentials = {"email": email, "password": PASSWORD}
        answer = await api.http.post("/api/auth/login", json=credentials)
        assert answer.status_code == 200, email
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await api.http.get("/api/agents/me", headers=headers)).json()["login"] == shown


async def test_sharp_s_and_double_s_are_two_accounts(api: Api) -> None:
    w = uuid4().hex[:10]
    for letters in ("ß", "ss"):
        body = {
            "email": f"stra{letters}e.{w}@a.example.com",
            "password": f"{PASSWORD} {letters}",
        }
        registered = await added_by_admin(api, body | {"name": "S"})
        assert registered.status_code == 201
        assert (await api.http.post("/api/auth/login", json=body)).is_success
