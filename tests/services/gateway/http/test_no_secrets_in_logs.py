"""What is secret or personal stands in no log, whatever is asked and however wrong it is."""

import base64
from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.services import SERVICES
from ops import accounts
from services.gateway.commands.sendgrid_signature import SIGNATURE, TIMESTAMP
from services.gateway.http.own_pages import CSRF_HEADER
from tests.servers import Server
from tests.services.gateway.conftest import api_of
from tests.services.gateway.mailed_links import new_letter, token_of
from tests.services.gateway.users import Person, end_grace
from tests.system import TOKEN_KEYS, system
from tests.writes import carried_out


class Canaries(list[str]):
    """Texts that stand nowhere else; each says where it was put."""

    def __call__(self, where: str) -> str:
        # Never all digits: a password of a common word and digits is refused.
        self.append(f"{where}{uuid4().hex[:5]}q{uuid4().hex[:5]}")
        return self[-1]

    def email(self, where: str) -> str:
        return f"{self(where)}@mail.example.com"

    def take(self, one: Person, response: httpx2.Response) -> None:
        """Go on with the tokens of an answer, which are canaries too."""
        one.take(response)
        self += [one.refresh_token, one.http.headers["Authorization"].removeprefix("Bearer ")]


def found_in(folder: Path, canaries: Iterable[str]) -> list[str]:
    """Return the canaries that are in the services' logs, in any case."""
    logs = {path.name: path.read_text(errors="replace").lower() for path in folder.glob("*.log")}
    assert len(logs) == len(SERVICES)
    assert all('"level": "info"' in text for text in logs.values()), "a log says nothing"
    return [f"{one} in {name}" for one in canaries for name in logs if one.lower() in logs[name]]


async def use_accounts(
    ana: Person, canary: Canaries, mongodb: str, mail: Path
) -> list[httpx2.Response]:
    """Register, log in, refresh and make a key, rightly and wrongly; return the refusals."""
    password, used = canary("password"), {"name": canary("agentname")}
    whole = {"email": ana.email, "password": password} | used
    profile = {"phone": canary("1555")[:20], "signature": canary("signature")}
    assert (await ana.post("/api/auth/register", **whole, **profile)).status_code == 202
    canary.append(token_of(await new_letter(mail, ana.email), "confirm"))
    by_link = {"token": canary[-1], "password": password}
    assert (await ana.http.get("/confirm", params={"token": canary[-1]})).status_code == 200
    assert (await ana.post("/api/auth/confirm", **by_link)).status_code == 204
    forgotten = canary("forgotten")
    assert (await ana.post("/api/auth/forgot", email=ana.email)).status_code == 202
    canary.append(token_of(await new_letter(mail, ana.email, after=1), "reset"))
    wrong = [
        await ana.post("/api/auth/reset", token=canary[-1][:-1], new_password=forgotten),
        await ana.post("/api/auth/register", **whole | {"email": canary("noaddress")}),
        await ana.post("/api/auth/register", **whole | {"password": canary("long") * 20}),
        await ana.log_in(canary("wrongpassword")),
        await ana.log_in(canary("typed") * 20),
        await ana.post("/api/auth/refresh", refresh_token=canary("wrongrefresh")),
    ]
    canary.take(ana, await ana.log_in(password))
    exchanged = ana.refresh_token
    canary.take(ana, await ana.post("/api/auth/refresh", refresh_token=exchanged))
    # Stolen, and the grace is over: that is worth a line in the log, but not the token.
    await end_grace(mongodb, exchanged)
    wrong.append(await ana.post("/api/auth/refresh", refresh_token=exchanged))
    canary.take(ana, await ana.log_in(password))
    login, by_click = {"email": ana.email, "password": password}, {CSRF_HEADER: "1"}
    own_page = {"Sec-Fetch-Site": "same-origin"} | by_click
    begun = await ana.http.post("/api/auth/session", json=login, headers=own_page)
    assert begun.status_code == 204
    canary += [ana.http.cookies["realtoros"], canary("notacookie")]
    wrong.append(await ana.http.post("/api/auth/session", json=login, headers=by_click))
    forged = {"Authorization": "", "Cookie": f"realtoros={canary[-1]}"}
    wrong.append(await ana.http.get("/api/clients", headers=forged))
    link = await accounts.add_login_link(mongodb, ana.email, "http://localhost:8000")
    canary.append(link.partition("#once=")[2])
    by_link = {"token": canary[-1]}
    wrong.append(await ana.http.post("/api/auth/link", json=by_link, headers=by_click))
    followed = await ana.http.post("/api/auth/link", json=by_link, headers=own_page)
    assert followed.status_code == 204
    canary.append(ana.http.cookies["realtoros"])
    wrong.append(await ana.http.post("/api/auth/link", json=by_link, headers=own_page))
    other = {"current_password": canary("notmine"), "new_password": canary("newpassword")}
    wrong.append(await ana.post("/api/auth/password", **other))
    key = await ana.post(
        "/api/keys", name=canary("keyname"), scopes=["read"], current_password=password
    )
    canary.append(key.json()["key"])
    by_key = {"Authorization": f"Bearer {key.json()['key']}"}
    assert (await ana.http.get("/api/clients", headers=by_key)).is_success
    wrong.append(await ana.http.post("/api/clients", json={}, headers=by_key))
    for token in (canary("token"), f"rk_{uuid4().hex}_{canary('secret')}", f"a.{canary('b')}.c"):
        headers = {"Authorization": f"Bearer {token}"}
        wrong.append(await ana.http.get("/api/clients", headers=headers))
    return wrong


async def use_clients(ana: Person, canary: Canaries) -> None:
    """Add, change, import and look for clients, rightly and wrongly."""
    whole = {
        "name": canary("name"),
        "email": canary.email("email"),
        "phone": canary("1555")[:20],
        "property_address": canary("address"),
        "notes": canary("notes"),
        "custom_fields": {canary("customname"): canary("custom")},
    }
    added = await carried_out(ana.http, "/api/clients", whole)
    assert added.status_code == 201, added.text
    path = added.headers["location"]
    assert (await ana.http.patch(path, json={"notes": canary("changed")})).is_success
    statuses = [
        (await ana.post("/api/clients", **whole)).status_code,
        (await ana.post("/api/clients", **whole | {"phone": canary("long") * 3})).status_code,
        (await ana.post("/api/clients", **whole | {canary("unknown"): canary("x")})).status_code,
        (await ana.post("/api/clients", name=canary("n"), email=canary("noemail"))).status_code,
        (await ana.http.patch(path, json={"stage": canary("stage")})).status_code,
    ]
    assert statuses == [409, 422, 422, 422, 422]
    headers = {"Content-Type": "application/json"}
    for body in (f'{{"name": "{canary("cut")}', f'["{canary("list")}"]', canary("text")):
        answer = await ana.http.post("/api/clients", content=body, headers=headers)
        assert answer.status_code == 422
    lines = f"name,email\n{canary('csv')},{canary('bad')}\n{canary('csv')},{canary.email('ok')}\n"
    for content in (lines, f"{canary('title')}\n{canary('cell')}", b"\xff\xfe" + lines.encode()):
        headers = {"Content-Type": "text/csv"}
        await ana.http.post("/api/clients/import", content=content, headers=headers)
    headers = {"X-Anything": canary("header"), "Cookie": canary("cookie")}
    headers |= {"User-Agent": canary("agent"), "If-None-Match": canary("tag")}
    query = {"q": canary("query"), canary("parameter"): canary("argument")}
    assert (await ana.http.get("/api/clients", params=query, headers=headers)).is_success
    assert (await ana.http.get("/api/clients", params={"page": canary("page")})).status_code == 422
    once = {"Idempotency-Key": canary("once")}
    await ana.http.post("/api/clients", json={"name": canary("again")}, headers=once)
    await ana.http.delete(path)


async def use_webhook(ana: Person, canary: Canaries) -> None:
    """Report as the provider would, but with signatures that are none."""
    body = f'[{{"email": "{canary.email("reported")}", "email_id": "{canary("id")}"}}]'
    for signature in (canary("signature"), base64.b64encode(canary("sig").encode()).decode()):
        headers = {SIGNATURE: signature, TIMESTAMP: canary("time")}
        answer = await ana.http.post("/api/webhooks/sendgrid", content=body, headers=headers)
        assert answer.status_code == 403


@pytest.fixture(scope="module")
async def logged(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Canaries, list[httpx2.Response]]:
    """What everything logged by its end, what may not stand there, and answers to errors."""
    folder, canary = tmp_path_factory.mktemp("logged"), Canaries()
    prefix, public = (
        f"logs-{uuid4().hex[:8]}.",
        ec.generate_private_key(ec.SECP256R1()).public_key(),
    )
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # An agent of this test's own: of one whom other tests' crm on this database knows already, this
    # test's topics might never hear.
    agent_id = uuid4()
    environment = {
        "AGENT_ID": str(agent_id),
        "LOG_LEVEL": "INFO",
        "REGISTRATION": "true",
        "SENDGRID_WEBHOOK_PUBLIC_KEY": base64.b64encode(der).decode(),
    }
    async with (
        system(folder, kafka, mongodb_server, prefix=prefix, environment=environment) as running,
        api_of(running.api[0], kafka, prefix, agent_id) as api,
        httpx2.AsyncClient(base_url=running.api[0], timeout=30, trust_env=False) as http,
    ):
        ana = Person(http, canary.email("login"))
        wrong = await use_accounts(ana, canary, mongodb_server.address, running.mail)
        await use_clients(ana, canary)
        await use_webhook(ana, canary)
        # A follow-up that is due at once is written and sent, so that all services had a part.
        client = await api.add(name=canary("due"), email=canary.email("sent"), notes=canary("why"))
        tasks = await api.get_until(f"/api/clients/{client}/tasks", lambda r: len(r.json()) == 5)
        task = f"/api/tasks/{tasks.json()[0]['_id']}"
        assert (await api.http.patch(task, json={"send_now": True})).is_success
        await api.get_until(task, lambda r: r.json()["status"] == "sent")
    canary.append(TOKEN_KEYS.partition(":")[2])
    return folder, canary, wrong


def test_no_log_holds_what_was_sent_or_handed_out(
    logged: tuple[Path, Canaries, list[httpx2.Response]],
) -> None:
    folder, canaries, _ = logged
    assert len(canaries) > 50
    assert found_in(folder, canaries) == []


def test_what_stands_in_a_log_would_be_found(
    logged: tuple[Path, Canaries, list[httpx2.Response]],
) -> None:
    folder, canaries, _ = logged
    log = folder / "gateway-0.log"
    before = log.read_text()
    log.write_text(f'{before}{{"event": "asked", "q": "{canaries[7].upper()}"}}\n')
    try:
        assert found_in(folder, canaries) == [f"{canaries[7]} in gateway-0.log"]
    finally:
        log.write_text(before)


def test_no_error_repeats_what_was_sent(
    logged: tuple[Path, Canaries, list[httpx2.Response]],
) -> None:
    _, canaries, wrong = logged
    assert len(wrong) == 16
    for answer in wrong:
        assert 400 <= answer.status_code < 500
        assert [one for one in canaries if one in answer.text] == []
