"""A second factor: added, asked for, each code good once, removed, required of admins."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import pytest
from pyotp import TOTP, random_base32

from ops import accounts
from services.gateway.accounts.second_factor import RECOVERY_CODES
from tests.services.gateway.accounts.conftest import Replicas
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, accounts_database, person

WRONG = "000000"
TOTP_PATH = "/api/auth/totp"


class App:
    """An authenticator app, and the recovery codes that its owner wrote down."""

    def __init__(self, replicas: Replicas, owner: Person) -> None:
        self._mongodb = replicas.mongodb
        self._owner = owner
        self.recovery: list[str] = []
        self._totp = TOTP(random_base32())

    async def add(self, **more: Any) -> None:
        """Add the factor to the owner's account."""
        begun = await self._owner.post(TOTP_PATH, current_password=PASSWORD, **more)
        assert begun.status_code == 200, begun.text
        assert begun.headers["cache-control"] == "no-store"
        uri = urlsplit(begun.json()["uri"])
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        [secret] = parse_qs(uri.query)["secret"]
        assert secret == begun.json()["secret"]
        self._totp = TOTP(secret)
        confirmed = await self._owner.post(f"{TOTP_PATH}/confirm", code=self._totp.now())
        assert confirmed.status_code == 200, confirmed.text
        assert confirmed.headers["cache-control"] == "no-store"
        self.recovery = confirmed.json()["recovery_codes"]
        assert len(set(self.recovery)) == RECOVERY_CODES

    async def code(self) -> str:
        """Return a code that was not used: as if 30 seconds had gone by."""
        async with accounts_database(self._mongodb) as database:
            await database["accounts"].update_one(
                {"email": self._owner.email}, {"$set": {"second_factor.last_step": 0}}
            )
        return self._totp.now()


def asks_for_code(answer: httpx2.Response) -> None:
    problem(answer, 401, "code")
    assert answer.json()["code"] == "second_factor_required"


async def test_a_log_in_needs_the_code_and_each_is_good_once_at_any_replica(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana, replicas.another(ana.email) as other:
        assert (await ana.http.get("/api/agents/me")).json()["second_factor"] is False
        app = App(replicas, ana)
        await app.add()
        assert (await ana.http.get("/api/agents/me")).json()["second_factor"] is True
        asks_for_code(await other.log_in())
        asks_for_code(await other.log_in(code=WRONG))
        # With a wrong password nothing tells of the second factor.
        wrong = await other.log_in("a wrong password", code=await app.code())
        problem(wrong, 401)
        assert wrong.json()["code"] == "invalid_credentials"
        code = await app.code()
        assert (await ana.log_in(code=f"{code[:3]} {code[3:]}")).is_success
        for one in (ana, other):
            asks_for_code(await one.log_in(code=code))


@pytest.mark.parametrize("kind", ["code", "recovery"])
async def test_of_two_log_ins_with_one_code_at_the_same_moment_one_succeeds(
    replicas: Replicas, kind: str
) -> None:
    async with person(replicas.urls[0]) as ana, replicas.another(ana.email) as other:
        app = App(replicas, ana)
        await app.add()
        code = await app.code() if kind == "code" else app.recovery[0]
        answers = await asyncio.gather(*(one.log_in(code=code) for one in [ana, other] * 2))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_a_code_that_confirmed_the_factor_is_used(replicas: Replicas) -> None:
    async with person(replicas.urls[0]) as ana:
        begun = await ana.post(TOTP_PATH, current_password=PASSWORD)
        code = TOTP(begun.json()["secret"]).now()
        problem(await ana.post(f"{TOTP_PATH}/confirm", code=WRONG), 422, "code")
        assert (await ana.log_in()).is_success
        assert (await ana.post(f"{TOTP_PATH}/confirm", code=code)).is_success
        asks_for_code(await ana.log_in(code=code))
        problem(await ana.post(f"{TOTP_PATH}/confirm", code=code), 409)


async def test_recovery_codes_are_stored_as_hashes_and_good_once_each(
    replicas: Replicas,
) -> None:
    async with (
        person(replicas.urls[0]) as ana,
        accounts_database(replicas.mongodb) as database,
    ):
        app = App(replicas, ana)
        await app.add()
        stored = str(await database["accounts"].find_one({"email": ana.email}))
        for code in app.recovery:
            assert code not in stored
            assert code.replace("-", "") not in stored
        first, second, *_ = app.recovery
        assert (await ana.log_in(code=first.upper())).is_success
        asks_for_code(await ana.log_in(code=first))
        assert (await ana.log_in(code=second.replace("-", " "))).is_success


async def test_guessing_codes_is_limited_wherever_it_comes_from(replicas: Replicas) -> None:
    async with person(replicas.urls[0]) as ana:
        app = App(replicas, ana)
        await app.add()
        statuses: list[int] = []
        # Twice as many where a span of time ends between them.
        while 429 not in statuses and len(statuses) < 21:
            address = f"2001:db8:{uuid4().hex[:4]}::1"
            async with replicas.another(ana.email, network=address) as eve:
                statuses.append((await eve.log_in(code=WRONG)).status_code)
        assert set(statuses[:-1]) == {401}
        assert statuses[-1] == 429
        # Nor is the right one looked at now.
        async with replicas.another(ana.email, network="2001:db8::1") as eve:
            problem(await eve.log_in(code=await app.code()), 429)
            problem(await eve.log_in(code=app.recovery[0]), 429)


async def test_the_factor_is_changed_and_removed_only_with_password_and_code(
    replicas: Replicas,
) -> None:
    async with person(replicas.urls[0]) as ana:
        app = App(replicas, ana)
        await app.add()
        for path in (TOTP_PATH, f"{TOTP_PATH}/remove"):
            problem(await ana.post(path, current_password="wrong", code=WRONG), 401)
            asks_for_code(await ana.post(path, current_password=PASSWORD))
            asks_for_code(await ana.post(path, current_password=PASSWORD, code=WRONG))
        old = app.recovery[0]
        await app.add(code=await app.code())
        # The old factor's codes went with it.
        asks_for_code(await ana.log_in(code=old))
        assert (await ana.log_in(code=await app.code())).is_success
        removed = await ana.post(
            f"{TOTP_PATH}/remove", current_password=PASSWORD, code=app.recovery[0]
        )
        assert removed.status_code == 204
        assert (await ana.log_in()).is_success


async def test_sessions_without_a_code_end_when_the_factor_is_added(replicas: Replicas) -> None:
    async with person(replicas.urls[0]) as ana, replicas.another(ana.email) as other:
        other.take(await other.log_in())
        await App(replicas, ana).add()
        problem(await other.http.get("/api/agents/me"), 401)
        problem(await other.post("/api/auth/refresh", refresh_token=other.refresh_token), 401)
        assert (await ana.http.get("/api/agents/me")).is_success


async def test_an_operator_s_reset_removes_the_factor(replicas: Replicas) -> None:
    async with person(replicas.urls[0]) as ana:
        await App(replicas, ana).add()
        credentials = await accounts.reset_password(replicas.mongodb, ana.email)
        ana.take(await ana.log_in(credentials.password))
        assert (await ana.http.get("/api/agents/me")).json()["second_factor"] is False


async def test_an_admin_without_a_second_factor_may_do_only_what_an_agent_may(
    replicas: Replicas,
) -> None:
    """With REQUIRE_ADMIN_TOTP."""
    async with (
        person(replicas.urls[0]) as ana,
        accounts_database(replicas.mongodb) as database,
    ):
        await database["accounts"].update_one({"email": ana.email}, {"$set": {"role": "admin"}})
        ana.take(await ana.log_in())
        refused = problem(await ana.http.get("/api/admin/agents"), 403)
        assert "POST /api/auth/totp" in refused
        problem(await ana.make_key("watch", "read", "admin"), 403)
        assert (await ana.http.get("/api/agents/me")).json()["role"] == "admin"
        app = App(replicas, ana)
        await app.add()
        page = await ana.http.get("/api/admin/agents?limit=100")
        assert page.is_success
        [account] = [one for one in page.json() if one["email"] == ana.email]
        assert account["second_factor"] is True
        assert "secret" not in page.text
        key = (await ana.make_key("watch", "read", "admin")).json()["key"]
        by_key = {"Authorization": f"Bearer {key}"}
        assert (await ana.http.get("/api/admin/tasks", headers=by_key)).is_success
        # The key is the account's: it may as little as its owner.
        body = {"current_password": PASSWORD, "code": app.recovery[0]}
        assert (await ana.post(f"{TOTP_PATH}/remove", **body)).status_code == 204
        problem(await ana.http.get("/api/admin/tasks", headers=by_key), 403)
