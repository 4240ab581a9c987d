"""Registration and forgotten passwords by mailed links, with a real mailer and its mailbox."""

import asyncio
import random
import string
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from chassis.mongo.client import Raw
from services.gateway.accounts.links.tokens import Link, LinkTokens
from tests.chassis.waiting import until
from tests.servers import Server
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.mailed_links import letters_to, new_letter, text_of, token_of
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, accounts_database, person
from tests.system import TOKEN_KEYS, system
from tests.writes import carried_out

NEW = "staple of the battery"
MUTATED = 1_000


@dataclass
class Mailed:
    """An API with registration open, and the mailbox that its mailer writes to."""

    api: Api
    mail: Path
    mongodb: str

    @property
    def http(self) -> httpx2.AsyncClient:
        return self.api.http

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        # Without the admin's key: who registers has none.
        return await self.http.post(path, json=body, headers={"Authorization": ""})

    async def register(self, email: str, **fields: Any) -> httpx2.Response:
        whole = {"email": email, "password": PASSWORD, "name": "Ana"} | fields
        return await self.post("/api/auth/register", **whole)

    async def link(self, email: str, purpose: str, after: int = 0) -> str:
        """Ask for a link and return its token when it is mailed."""
        if purpose == "confirm":
            asked = await self.register(email)
        else:
            asked = await self.post("/api/auth/forgot", email=email)
        assert asked.status_code == 202, asked.text
        return token_of(await new_letter(self.mail, email, after), purpose)

    async def log_in(self, email: str, password: str = PASSWORD) -> int:
        answer = await self.post("/api/auth/login", email=email, password=password)
        return answer.status_code

    async def account(self, email: str) -> Raw:
        async with accounts_database(self.mongodb) as database:
            found: Raw | None = await database["accounts"].find_one({"email": email})
        assert found
        return found

    async def unsent(self) -> int:
        async with accounts_database(self.mongodb) as database:
            return int(await database["link_requests"].count_documents({"unsent": True}))


@pytest.fixture(scope="module")
async def mailed(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mailed]:
    prefix, agent_id = f"links-{uuid4().hex[:8]}.", uuid4()
    environment = {
        "AGENT_ID": str(agent_id),
        "REGISTRATION": "true",
        "SCHEDULER_POLL_SECONDS": "0.5",
    }
    async with (
        system(
            tmp_path_factory.mktemp("links"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "mailer", "gateway"),
            environment=environment,
        ) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
    ):
        yield Mailed(api, running.mail, mongodb_server.address)
        assert running.errors() == []


def address() -> str:
    return f"{uuid4().hex[:12]}@agents.example.com"


def same(one: httpx2.Response, other: httpx2.Response) -> bool:
    """Return whether two answers are the same, their time aside."""
    headers = [{k: v for k, v in r.headers.items() if k != "date"} for r in (one, other)]
    return (one.status_code, one.content, headers[0]) == (
        other.status_code,
        other.content,
        headers[1],
    )


async def test_there_is_no_account_until_the_address_is_confirmed(mailed: Mailed) -> None:
    email = address()
    token = await mailed.link(email, "confirm")
    # Who only guesses that it will be confirmed learns nothing, and can do nothing.
    assert await mailed.log_in(email) == 401
    # Who reads the mail but has not registered cannot confirm what another has chosen.
    wrong = await mailed.post("/api/auth/confirm", token=token, password=NEW)
    problem(wrong, 401)
    assert await mailed.log_in(email) == 401
    confirmed = await mailed.post("/api/auth/confirm", token=token, password=PASSWORD)
    assert confirmed.status_code == 204, confirmed.text
    again = await mailed.post("/api/auth/confirm", token=token, password=PASSWORD)
    problem(again, 422, "token")
    async with httpx2.AsyncClient(base_url=mailed.http.base_url, trust_env=False) as http:
        ana = Person(http, email)
        ana.take(await ana.log_in())
        assert (await ana.http.get("/api/agents/me")).json()["name"] == "Ana"
        bo = {"name": "Bo", "email": f"bo.{email}"}
        added = await carried_out(ana.http, "/api/clients", bo)
        assert added.status_code == 201, added.text


async def test_registering_does_not_tell_who_has_an_account(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        unknown = address()
        before = await mailed.account(ana.email)
        known = await mailed.register(ana.email.upper(), password=NEW)
        assert same(known, await mailed.register(unknown, password=NEW))
        told = await new_letter(mailed.mail, ana.email)
        assert "account already" in told["subject"]
        assert "http" not in text_of(told)
        # It changes nothing, and the password of the attempt opens nothing: at both the same.
        assert await mailed.account(ana.email) == before
        assert await mailed.log_in(ana.email, NEW) == await mailed.log_in(unknown, NEW) == 401
        assert await mailed.log_in(ana.email) == 200


async def test_a_forgotten_password_does_not_tell_it_either(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        unknown = address()
        nothing = await mailed.post("/api/auth/forgot", email=unknown)
        something = await mailed.post("/api/auth/forgot", email=ana.email)
        assert nothing.status_code == 202
        assert same(nothing, something)
        await new_letter(mailed.mail, ana.email)

        async def done() -> bool:
            return await mailed.unsent() == 0

        await until(done)
        assert letters_to(mailed.mail, unknown) == []


async def test_no_text_of_a_stranger_is_mailed_to_an_address(mailed: Mailed) -> None:
    email, spam = address(), "Win at https://evil.example"
    await mailed.register(email, name=spam, company=spam)
    letter = await new_letter(mailed.mail, email)
    assert "evil.example" not in letter.as_string()


async def test_a_reset_by_link_works_once_and_ends_all_sessions(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        key = (await ana.make_key("k", "read")).json()["key"]
        token = await mailed.link(ana.email, "reset")
        weak = await mailed.post("/api/auth/reset", token=token, new_password="password1234")
        problem(weak, 422, "new_password")
        own = await mailed.post("/api/auth/reset", token=token, new_password=ana.email)
        problem(own, 422, "new_password")
        done = await mailed.post("/api/auth/reset", token=token, new_password=NEW)
        assert done.status_code == 204, done.text
        assert (await ana.http.get("/api/agents/me")).status_code == 401
        refreshed = await ana.post("/api/auth/refresh", refresh_token=ana.refresh_token)
        assert refreshed.status_code == 401
        assert await mailed.log_in(ana.email) == 401
        assert await mailed.log_in(ana.email, NEW) == 200
        again = await mailed.post("/api/auth/reset", token=token, new_password=PASSWORD)
        problem(again, 422, "token")
        # Keys go on, unless it is asked for.
        headers = {"Authorization": f"Bearer {key}"}
        assert (await ana.http.get("/api/clients", headers=headers)).is_success
        token = await mailed.link(ana.email, "reset", after=1)
        body = {"token": token, "new_password": PASSWORD, "revoke_keys": True}
        assert (await mailed.post("/api/auth/reset", **body)).status_code == 204
        assert (await ana.http.get("/api/clients", headers=headers)).status_code == 401


async def test_of_uses_at_the_same_moment_one_succeeds(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        token = await mailed.link(ana.email, "reset")
        passwords = [f"{NEW} {n}" for n in range(6)]
        answers = await asyncio.gather(
            *(mailed.post("/api/auth/reset", token=token, new_password=p) for p in passwords)
        )
        assert sorted(answer.status_code for answer in answers) == [204, *[422] * 5]


async def test_a_change_of_the_password_makes_every_link_useless(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        tokens = [await mailed.link(ana.email, "reset", after=n) for n in range(2)]
        change = {"current_password": PASSWORD, "new_password": NEW}
        assert (await ana.post("/api/auth/password", **change)).is_success
        for token in tokens:
            answer = await mailed.post("/api/auth/reset", token=token, new_password=PASSWORD)
            problem(answer, 422, "token")


async def test_the_first_of_several_registrations_that_is_confirmed_counts(mailed: Mailed) -> None:
    email = address()
    tokens = [await mailed.link(email, "confirm", after=n) for n in range(2)]
    answers = [
        await mailed.post("/api/auth/confirm", token=token, password=PASSWORD) for token in tokens
    ]
    assert [answer.status_code for answer in answers] == [204, 422]
    assert await mailed.log_in(email) == 200


async def test_a_link_is_of_no_use_when_it_has_expired(mailed: Mailed) -> None:
    tokens = LinkTokens([TOKEN_KEYS.split(":")[1]])
    async with person(mailed.http.base_url) as ana:
        account = await mailed.account(ana.email)
        for minutes, status in ((-1, 422), (1, 204)):
            at = datetime.now(UTC) + timedelta(minutes=minutes)
            link = Link.until("reset", UUID(str(account["_id"])), at)
            token = tokens.issue(link, f"{account['email']} {account['password']}")
            answer = await mailed.post("/api/auth/reset", token=token, new_password=NEW)
            assert answer.status_code == status, answer.text


def mutated(token: str, chance: random.Random) -> str:
    """Return another token: some characters replaced, removed, added or swapped."""
    letters, changed = string.ascii_letters + string.digits + "-_=. é", token
    while changed == token:
        place = chance.randrange(len(token))
        changed = chance.choice(
            [
                token[:place] + chance.choice(letters) + token[place + 1 :],
                token[:place] + token[place + 1 :],
                token[:place] + chance.choice(letters) + token[place:],
                token[:place] + token[place:].swapcase(),
                token[:place],
                token + chance.choice(letters),
            ]
        )
    return changed


async def test_no_mutated_token_opens_anything(mailed: Mailed) -> None:
    chance, registered = random.Random(13), address()
    async with person(mailed.http.base_url) as ana:
        confirm = await mailed.link(registered, "confirm")
        reset = await mailed.link(ana.email, "reset")
        wrong = [mutated(reset, chance) for _ in range(MUTATED - 2)]
        # As the other kind of link, and of another account.
        other = str((await mailed.account(ana.email))["_id"]).replace("-", "")
        wrong += [
            confirm.replace("confirm", "reset"),
            confirm.replace(confirm.split("_")[1], other),
        ]
        for start in range(0, len(wrong), 100):
            answers = await asyncio.gather(
                *(
                    mailed.post("/api/auth/reset", token=token, new_password=NEW)
                    for token in wrong[start : start + 100]
                )
            )
            assert {answer.status_code for answer in answers} == {422}
        for token in (mutated(confirm, chance) for _ in range(100)):
            answer = await mailed.post("/api/auth/confirm", token=token, password=PASSWORD)
            assert answer.status_code == 422, token
        done = await mailed.post("/api/auth/reset", token=reset, new_password=NEW)
        assert done.status_code == 204


async def test_a_deactivated_agent_gets_no_link_and_uses_none(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        token = await mailed.link(ana.email, "reset")
        async with accounts_database(mailed.mongodb) as database:
            await database["accounts"].update_one({"email": ana.email}, {"$set": {"active": False}})
        answer = await mailed.post("/api/auth/reset", token=token, new_password=NEW)
        problem(answer, 422, "token")


async def test_an_address_gets_only_so_many_links_an_hour_account_or_not(mailed: Mailed) -> None:
    async with person(mailed.http.base_url) as ana:
        for email in (ana.email, address()):
            spellings = [email, email.upper()] * 11
            answers = [await mailed.post("/api/auth/forgot", email=one) for one in spellings]
            statuses = [answer.status_code for answer in answers]
            # Twice as many where an hour ends between them.
            assert 5 <= statuses.count(202) <= 10
            assert set(statuses[10:]) == {429}
            assert int(answers[-1].headers["retry-after"]) > 0


async def test_the_pages_change_nothing_until_their_form_is_sent(mailed: Mailed) -> None:
    email = address()
    token = await mailed.link(email, "confirm")
    page = await mailed.http.get("/confirm", params={"token": token})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert token in page.text
    assert "<script" not in page.text
    assert await mailed.log_in(email) == 401
    wrong = await mailed.http.post("/confirm", data={"token": token, "password": NEW})
    assert (wrong.status_code, token in wrong.text) == (401, True)
    # Only what a form of a page sends counts.
    sent = {"token": token, "password": PASSWORD}
    assert (await mailed.http.post("/confirm", json=sent)).status_code == 422
    assert (await mailed.http.post("/confirm", data=sent)).status_code == 200
    assert await mailed.log_in(email) == 200
    reset = await mailed.link(email, "reset", after=1)
    assert reset in (await mailed.http.get("/reset", params={"token": reset})).text
    weak = await mailed.http.post("/reset", data={"token": reset, "new_password": "short"})
    assert weak.status_code == 422
    assert "new_password" in weak.text
    whole = {"token": reset, "new_password": NEW, "revoke_keys": "true"}
    assert (await mailed.http.post("/reset", data=whole)).status_code == 200
    assert await mailed.log_in(email, NEW) == 200


async def test_what_a_page_repeats_is_text(mailed: Mailed) -> None:
    for path in ("/confirm", "/reset"):
        page = await mailed.http.get(path, params={"token": '"><script>alert(1)</script>'})
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
        assert (await mailed.http.post(path, content=b"\xff" * 99)).status_code == 422
