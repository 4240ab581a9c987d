"""Access to every operation of the schema, for every kind of caller.

What is expected follows from the kind of route; a route of no kind fails the first test.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import jwt
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from contracts.mailer import AddressSuppressed, SuppressedAddress, email_id, suppression_id
from services.gateway.accounts.sessions import REFRESH
from services.gateway.accounts.tokens import AccessTokens, OpaqueToken
from services.gateway.describe import document
from services.gateway.http.own_pages import CSRF_HEADER
from tests import servers
from tests.servers import Server
from tests.services.gateway.client_events import NOON, Story
from tests.services.gateway.conftest import Api, api_of
from tests.services.gateway.live_clients import EventStream
from tests.services.gateway.problem_checks import problem
from tests.services.gateway.users import PASSWORD, Person, person, promote
from tests.system import AGENT, TOKEN_KEYS, drop_databases, system
from tests.writes import carried_out

# An agent that a client has had before.
FORMER = uuid4()
ISSUER = "http://localhost:8000"
NAME, KEY = TOKEN_KEYS.split(":")
OPERATIONS = [
    (method.upper(), path, operation.get("security", document()["security"]) == [])
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
]
PROTECTED = [(method, path) for method, path, public in OPERATIONS if not public]
PUBLIC = {
    *(("POST", f"/api/auth/{name}") for name in ("login", "link", "session", "refresh")),
    *(("POST", f"/api/auth/{name}") for name in ("register", "confirm", "forgot", "reset")),
    ("POST", "/api/webhooks/sendgrid"),
    ("POST", "/api/webhooks/sendgrid/inbound"),
}
SEQUENCE = {"steps": [{"name": "Soon", "days": 3}]}
BULK = {"selection": {"ids": [str(uuid4())]}, "expected_count": 1}
CSV = b"name,email\nCy,cy@mail.example.com\n"
# What a request says where it has to say something.
BODIES: dict[tuple[str, str], Callable[[], Any]] = {
    ("POST", "/api/clients"): lambda: {
        "name": "Bo",
        "email": f"{uuid4().hex[:9]}@mail.example.com",
    },
    ("PATCH", "/api/clients/{client_id}"): lambda: {"notes": "seen"},
    ("POST", "/api/clients/{client_id}/tasks"): lambda: {"send_now": True},
    ("PATCH", "/api/tasks/{task_id}"): lambda: {"notes": "seen"},
    ("PATCH", "/api/tasks/{task_id}/draft"): lambda: {"subject": "Another"},
    ("POST", "/api/drafts/approve"): lambda: {"drafts": [{"task_id": str(uuid4()), "version": 1}]},
    ("PATCH", "/api/admin/tasks/{task_id}"): lambda: {"notes": "seen"},
    ("POST", "/api/emails/{email_id}/resolve"): lambda: {"resolution": "sent"},
    ("POST", "/api/admin/emails/{email_id}/resolve"): lambda: {"resolution": "sent"},
    ("POST", "/api/suppressions/{suppression_id}/release"): lambda: {"reason": "asked for it"},
    ("PATCH", "/api/agents/me"): lambda: {"title": "Broker"},
    ("POST", "/api/keys"): lambda: {
        "name": "made",
        "scopes": ["read"],
        "current_password": PASSWORD,
    },
    ("POST", "/api/auth/password"): lambda: {
        "current_password": PASSWORD,
        "new_password": PASSWORD,
    },
    ("POST", "/api/auth/email"): lambda: {"current_password": PASSWORD},
    ("POST", "/api/auth/totp"): lambda: {"current_password": PASSWORD},
    ("POST", "/api/auth/totp/remove"): lambda: {"current_password": PASSWORD},
    ("POST", "/api/auth/totp/confirm"): lambda: {"code": "000000"},
    ("PATCH", "/api/admin/agents/{agent_id}"): lambda: {"active": True},
    ("POST", "/api/admin/agents/{agent_id}/reassign"): lambda: {"to_agent_id": str(AGENT)},
    ("POST", "/api/sequences"): lambda: SEQUENCE | {"name": uuid4().hex},
    ("PUT", "/api/sequences/{sequence_id}"): lambda: SEQUENCE | {"name": uuid4().hex},
    ("POST", "/api/tasks/retry"): dict,
    ("POST", "/api/clients/bulk"): lambda: BULK | {"action": {"kind": "pause"}},
    ("POST", "/api/tasks/bulk"): lambda: BULK | {"action": {"kind": "cancel"}},
    ("POST", "/api/admin/tasks/retry"): dict,
    ("POST", "/api/admin/sending/pause"): lambda: {"reason": "Look first"},
    ("POST", "/api/admin/agents"): lambda: {
        "name": "Sam",
        "email": f"{uuid4().hex}@agents.example.com",
        "password": PASSWORD,
    },
}
# Another agent's are not found.
OF_ONE = (
    *("{client_id}", "{task_id}", "{email_id}", "{command_id}", "{key_id}"),
    *("{suppression_id}", "{sequence_id}", "{session_id}"),
)
# These return only what is the caller's own.
LISTS = (
    *("/api/clients", "/api/clients/counts", "/api/clients/export", "/api/tasks"),
    *("/api/drafts", "/api/emails"),
    *("/api/keys", "/api/sequences"),
    *("/api/dashboard/activity", "/api/dashboard/stats", "/api/dashboard/attention"),
    *("/api/dashboard/series", "/api/agents/me", "/api/suppressions", "/api/auth/sessions"),
)
OWN = (
    *(("POST", path) for path in ("/api/clients", "/api/clients/import")),
    *(("POST", path) for path in ("/api/keys", "/api/sequences")),
    *(("POST", path) for path in ("/api/tasks/retry", "/api/drafts/approve")),
    *(("POST", path) for path in ("/api/clients/bulk", "/api/tasks/bulk")),
    *(("PATCH", path) for path in ("/api/agents/me",)),
    *(("DELETE", path) for path in ("/api/auth/sessions",)),
    *(("POST", f"/api/auth/{name}") for name in ("email", "logout", "password")),
    *(("POST", f"/api/auth/{name}") for name in ("totp", "totp/remove")),
)
# Needs a code of the app: see test_second_factor.
CONFIRM = ("POST", "/api/auth/totp/confirm")
STREAM = ("GET", "/api/events")


def kind_of(method: str, path: str) -> str:
    """Return the kind of route. Raises LookupError for one without an expectation."""
    if path.startswith("/api/admin/"):
        return "admin"
    if any(name in path for name in OF_ONE):
        return "object"
    if (method, path) == STREAM:
        return "stream"
    if method == "GET" and path in LISTS:
        return "list"
    if (method, path) in OWN:
        return "own"
    if (method, path) == CONFIRM:
        return "confirm"
    raise LookupError(f"who may {method} {path}? Say so here")


@dataclass
class World:
    """A gateway, its callers, and the agent's resources."""

    api: Api
    agent: Person
    other: Person
    admin: Person
    agent_id: str
    client_id: str
    command_id: str
    marks: list[str] = field(default_factory=list)

    async def story(self, agent_id: str) -> Story:
        """Publish an email whose outcome is unknown, and a draft that failed."""
        story = Story(UUID(agent_id), uuid4())
        await self.api.publish(
            *(story.planned(), story.due(3, 14), story.requested(3, 14), story.composed(3, 14)),
            *(story.queued(3, 14), story.started(3, 14), story.unknown(3, 14.1)),
            *(story.due(2, 7), story.requested(2, 7), story.not_composed(2, 7)),
        )
        return story

    async def suppressed(self, client_id: str) -> str:
        """Let the client have told a former agent not to write; return its id once it says so."""
        shown = f"/api/clients/{client_id}"
        address = (await self.agent.http.get(shown)).json()["email"]
        event = AddressSuppressed(
            agent_id=FORMER,
            suppression_id=suppression_id(FORMER, address),
            reason="unsubscribed",
            suppressed_at=NOON,
            personal=SuppressedAddress(email=address, canonical=address),
            reported_client=UUID(client_id),
        )
        await self.api.publish(event)
        await get_until(self.agent, shown, lambda r: r.json()["email_status"] == "unsubscribed")
        return client_id

    async def pending(self) -> Story:
        """Return the story of a follow-up that scheduler knows, its first."""
        tasks = f"{await self.target('/api/clients/{client_id}')}/tasks"
        [first, *_] = (await self.agent.http.get(tasks)).json()
        story = Story(UUID(self.agent_id), first["client_id"])
        story.ids[0], story.emails[0] = UUID(first["_id"]), email_id(UUID(first["_id"]))
        return story

    async def queued(self) -> UUID:
        """Return an email that waits, of a follow-up that scheduler knows."""
        story = await self.pending()
        await self.api.publish(story.queued(0, 1))
        await get_until(self.agent, f"/api/emails/{story.emails[0]}", is_success)
        return story.emails[0]

    async def written(self, path: str) -> str:
        """Return the path with a follow-up whose letter waits."""
        story = await self.pending()
        await self.api.publish(story.requested(0, 1), story.written(0, 1))
        await get_until(self.agent, f"/api/tasks/{story.ids[0]}/draft", is_success)
        return path.replace("{task_id}", str(story.ids[0]))

    async def sequence(self) -> UUID:
        """Return a sequence that the agent has defined."""
        body = SEQUENCE | {"name": uuid4().hex}
        made = await self.agent.http.post("/api/sequences", json=body)
        return UUID(made.json()["sequence_id"])

    async def key(self) -> UUID:
        """Return an API key of the agent."""
        made = await self.agent.make_key("k")
        return UUID(made.json()["_id"])

    async def suppression(self) -> UUID:
        """Return the suppression of an address of the agent's, as soon as it is listed."""
        address = f"{uuid4().hex}@mail.example.com"
        event = AddressSuppressed(
            agent_id=UUID(self.agent_id),
            suppression_id=suppression_id(UUID(self.agent_id), address),
            reason="bounced",
            suppressed_at=NOON,
            personal=SuppressedAddress(email=address, canonical=address),
        )
        await self.api.publish(event)
        await get_until(self.agent, "/api/suppressions?limit=100", lambda r: address in r.text)
        return event.suppression_id

    async def client_for(self, path: str) -> str:
        """Add a client with its plan, as the path needs it; return the id."""
        fields = {"name": "Bo", "email": f"{uuid4().hex[:9]}@mail.example.com"}
        made = await carried_out(self.agent.http, "/api/clients", fields)
        client = str(made.json()["client_id"])
        await get_until(self.agent, f"/api/clients/{client}/tasks", lambda r: len(r.json()) == 5)
        if path.endswith("/plan"):
            await self.agent.post(f"/api/clients/{client}/plan/cancel")
        if path.endswith("/resume"):
            await self.agent.post(f"/api/clients/{client}/plan/pause")
        return client

    async def session(self) -> UUID:
        """Return another session of the agent's."""
        token = OpaqueToken.parse((await self.agent.log_in()).json()["refresh_token"], REFRESH)
        assert token
        return token.id

    async def target(self, path: str) -> str:
        """Return the path to a new resource of the agent's."""
        if path.endswith("/suppression"):
            client = (await self.target("/{client_id}")).strip("/")
            return path.replace("{client_id}", await self.suppressed(client))
        if "{client_id}" in path:
            return path.replace("{client_id}", await self.client_for(path))
        if "{task_id}/draft" in path:
            return await self.written(path)
        if "{task_id}" in path and not path.endswith("/retry"):
            tasks = f"{await self.target('/api/clients/{client_id}')}/tasks"
            found = (await self.agent.http.get(tasks)).json()
            return path.replace("{task_id}", found[0]["_id"])
        if path.endswith("/emails/{email_id}/cancel"):
            return path.replace("{email_id}", str(await self.queued()))
        if "{task_id}" in path or "{email_id}" in path:
            story = await self.story(self.agent_id)
            await get_until(self.agent, f"/api/emails/{story.emails[3]}", is_success)
            failed = f"/api/tasks/{story.ids[2]}"
            await get_until(self.agent, failed, lambda r: r.json().get("status") == "failed")
            return path.replace("{task_id}", str(story.ids[2])).replace(
                "{email_id}", str(story.emails[3])
            )
        for name, make in (
            ("{suppression_id}", self.suppression),
            ("{sequence_id}", self.sequence),
            ("{key_id}", self.key),
            ("{session_id}", self.session),
        ):
            if name in path:
                return path.replace(name, str(await make()))
        path = path.replace("{command_id}", self.command_id)
        if path.endswith("/reassign"):
            # Who has no clients that other tests need.
            me = await self.other.http.get("/api/agents/me")
            return path.replace("{agent_id}", me.json()["id"])
        return path.replace("{agent_id}", self.agent_id)


def is_success(response: httpx2.Response) -> bool:
    return response.is_success


async def get_until(
    by: Person, path: str, until: Callable[[httpx2.Response], bool]
) -> httpx2.Response:
    return await Api.get_until(by, path, until)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
async def own_mongodb() -> AsyncIterator[Server]:
    """A MongoDB of this module: on the shared one the package's gateway writes all the time."""
    async with servers.mongodb() as server:
        yield server


@pytest.fixture(scope="module")
async def world(
    kafka: Server, own_mongodb: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """A gateway without composer and mailer: commands to them stay pending."""
    await drop_databases(own_mongodb)
    prefix = f"gate-{uuid4().hex[:8]}."
    async with (
        system(
            tmp_path_factory.mktemp("matrix"),
            kafka,
            own_mongodb,
            prefix=prefix,
            services=("crm", "scheduler", "gateway"),
            environment={"COMMAND_TIMEOUT_SECONDS": "2", "LOGINS_PER_ACCOUNT": "1000"},
        ) as running,
        api_of(running.api[0], kafka, prefix) as api,
        person(running.api[0], name="Ana Only-Hers") as agent,
        person(running.api[0]) as other,
        person(running.api[0]) as admin,
    ):
        await promote(admin)
        agent_id = (await agent.http.get("/api/agents/me")).json()["id"]
        made = World(api, agent, other, admin, agent_id, "", "")
        # There is one of every kind; the retry gets no reply, since no composer runs.
        retried = await agent.post(await made.target("/api/tasks/{task_id}/retry"))
        assert retried.status_code == 202, retried.text
        made.command_id = retried.json()["command_id"]
        made.client_id = (await made.target("{client_id}")).rpartition("/")[2]
        key = await agent.make_key("only hers")
        made.marks = [agent_id, made.client_id, key.json()["_id"], "Only-Hers", agent.email]
        yield made
        # The stories are told in the scheduler's name, which it notices.
        assert [error for error in running.errors() if '"event": "fork"' not in error] == []


async def ask(
    by: Person, method: str, path: str, template: str, token: str | None = None
) -> httpx2.Response:
    """Send a request as a person or with another token ("" for none); of a stream only its head."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}" if token else ""}
    options: dict[str, Any] = {}
    if body := BODIES.get((method, template)):
        options["json"] = body()
    if template in ("/api/auth/link", "/api/auth/session"):
        headers |= {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: "1"}
    if template == "/api/auth/email":
        options["json"]["email"] = by.email
    if template == "/api/clients/import":
        headers["Content-Type"] = "text/csv"
        options["content"] = CSV
    if template.endswith("/draft/approve"):
        shown = await by.http.get(path.removesuffix("/approve"))
        headers["If-Match"] = shown.headers.get("ETag", "none")
    if (method, template) == STREAM:
        async with by.http.stream(method, path, headers=headers) as response:
            if not response.is_success:
                await response.aread()
            return response
    return await by.http.request(method, path, headers=headers, **options)


def forged(person_: Person, audience: str, life: timedelta) -> str:
    """Return the person's token, signed with the right key, with other claims."""
    own = jwt.decode(
        person_.http.headers["Authorization"].removeprefix("Bearer "),
        options={"verify_signature": False},
    )
    token = AccessTokens({NAME: KEY}, ISSUER, life).issue(UUID(own["sub"]), UUID(own["sid"]))
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims | {"aud": audience}, KEY, "HS256", {"kid": NAME})


def test_it_is_known_of_every_operation_who_may_use_it() -> None:
    assert {(method, path) for method, path, public in OPERATIONS if public} == PUBLIC
    kinds = {kind_of(method, path) for method, path in PROTECTED}
    assert kinds == {"admin", "object", "stream", "list", "own", "confirm"}


def test_an_operation_that_nobody_thought_about_is_noticed() -> None:
    with pytest.raises(LookupError):
        kind_of("GET", "/api/something/new")


@pytest.mark.parametrize(("method", "path"), sorted(PUBLIC))
async def test_what_is_public_asks_for_no_token(world: World, method: str, path: str) -> None:
    answer = await ask(world.agent, method, path, path, "")
    # What is missing is the request's content, not a token.
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_without_a_token_that_is_good_nothing_is_answered(
    world: World, method: str, path: str
) -> None:
    known = path.replace("{client_id}", world.client_id).replace("{command_id}", world.command_id)
    for name in (*OF_ONE, "{agent_id}"):
        known = known.replace(name, world.agent_id)
    wrong = {
        "none": "",
        "no token": "x",
        "expired": forged(world.admin, "realtoros-api", timedelta(minutes=-1)),
        "of another audience": forged(world.admin, "another-api", timedelta(minutes=1)),
    }
    for what, token in wrong.items():
        answer = await ask(world.admin, method, known, path, token)
        assert answer.status_code == 401, (what, answer.text)
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_but_the_forged_token_is_good_when_nothing_is_wrong_with_it(world: World) -> None:
    good = forged(world.admin, "realtoros-api", timedelta(minutes=1))
    assert (
        await ask(world.other, "GET", "/api/admin/agents", "/api/admin/agents", good)
    ).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [one for one in PROTECTED if kind_of(*one) in ("object", "admin")]
)
async def test_another_gets_404_or_403_and_who_may_gets_an_answer(
    world: World, method: str, path: str
) -> None:
    target = await world.target(path)
    if kind_of(method, path) == "admin":
        for refused in (world.agent, world.other):
            problem(await ask(refused, method, target, path), 403)
        allowed = await ask(world.admin, method, target, path)
    else:
        # Not even an admin sees what is another agent's, but on admin routes.
        for stranger in (world.other, world.admin):
            problem(await ask(stranger, method, target, path), 404)
        allowed = await ask(world.agent, method, target, path)
    assert allowed.is_success, allowed.text


@pytest.mark.parametrize(("method", "path"), [one for one in PROTECTED if kind_of(*one) == "list"])
async def test_a_list_shows_its_owner_s_alone(world: World, method: str, path: str) -> None:
    for stranger in (world.other, world.admin):
        answer = await ask(stranger, method, path, path)
        assert answer.status_code == 200
        assert [mark for mark in world.marks if mark in answer.text] == []
    if path not in (
        *("/api/clients/export", "/api/suppressions"),
        *("/api/dashboard/stats", "/api/dashboard/attention", "/api/dashboard/series"),
        "/api/clients/counts",
    ):
        # The newest is on every first page, and of drafts there are less than a page.
        newest = (await world.target("{client_id}")).rpartition("/")[2]
        if path == "/api/drafts":
            newest = await world.written("{task_id}")
        if path == "/api/auth/sessions":
            newest = await world.target("{session_id}")
        if path == "/api/sequences":
            newest = await world.target("{sequence_id}")
        own = await ask(world.agent, method, path, path)
        assert any(mark in own.text for mark in (newest, *world.marks))


@pytest.mark.parametrize(("method", "path"), OWN)
async def test_what_is_the_caller_s_own_is_done_for_every_agent(
    world: World, method: str, path: str
) -> None:
    for one in (world.agent, world.other, world.admin):
        assert (await ask(one, method, path, path)).is_success
        one.take(await one.log_in())


@pytest.mark.parametrize("path", ["/api/keys", *(path for _, path in [CONFIRM, *OWN[-5:]])])
async def test_an_api_key_is_no_log_in(world: World, path: str) -> None:
    key = world.api.http.headers["Authorization"].removeprefix("Bearer ")
    problem(await ask(world.agent, "POST", path, path, key), 403)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_key_that_may_only_write_reads_nothing(world: World, method: str) -> None:
    key = (await world.admin.make_key("writes", "write", "admin")).json()["key"]
    for path in (path for verb, path in PROTECTED if verb == "GET"):
        known = path.replace("{client_id}", world.client_id)
        known = known.replace("{command_id}", world.command_id)
        for name in (*OF_ONE, "{agent_id}"):
            known = known.replace(name, world.agent_id)
        answer = await ask(world.admin, method, known, path, key)
        # There are no routes for HEAD.
        assert answer.status_code == (403 if method == "GET" else 405), path
        assert not [mark for mark in world.marks if mark in answer.text]


async def test_a_change_by_a_key_that_may_only_write_shows_nothing(world: World) -> None:
    key = (await world.agent.make_key("writes", "write")).json()["key"]
    for method, template in BODIES:
        if kind_of(method, template) != "object" and template != "/api/agents/me":
            continue
        path = await world.target(template)
        answer = await ask(world.agent, method, path, template, key)
        assert answer.status_code in (202, 204), (template, answer.text)
        assert not [mark for mark in world.marks if mark in answer.text]
    paused = await world.target("/api/clients/{client_id}/plan/pause")
    answer = await ask(world.agent, "POST", paused, "/api/clients/{client_id}/plan/pause", key)
    assert (answer.status_code, answer.text) == (204, "")


async def test_a_stream_tells_another_agent_nothing(world: World) -> None:
    async with (
        world.other.http.stream("GET", STREAM[1]) as theirs,
        world.agent.http.stream("GET", STREAM[1]) as hers,
    ):
        assert (theirs.status_code, hers.status_code) == (200, 200)
        hearing, overhearing = EventStream(hers), EventStream(theirs)
        assert (await hearing.next()).kind == (await overhearing.next()).kind == "hello"
        await world.target("/api/clients/{client_id}")
        assert (await hearing.next()).kind == "timeline"
        own = await carried_out(world.other.http, "/api/clients", BODIES["POST", "/api/clients"]())
        # The first that the other receives is their own.
        first = await overhearing.next()
        assert first.data["client_id"] == own.json()["client_id"]


@pytest.mark.parametrize(
    "who", ["none", "expired", "audience", "writes", "agent", "other", "admin"]
)
async def test_a_socket_is_opened_to_who_is_logged_in(world: World, who: str) -> None:
    people = {"agent": world.agent, "other": world.other, "admin": world.admin}
    tokens = {
        "none": "",
        "writes": (await world.agent.make_key("writes", "write")).json()["key"],
        "expired": forged(world.agent, "realtoros-api", timedelta(minutes=-1)),
        "audience": forged(world.agent, "another-api", timedelta(minutes=1)),
    } | {name: one.http.headers["Authorization"].split()[1] for name, one in people.items()}
    offered = ["realtoros", *([f"bearer.{tokens[who]}"] if tokens[who] else [])]
    url = f"{str(world.api.http.base_url).replace('http', 'ws').rstrip('/')}/api/ws"
    opening = connect(url, subprotocols=[Subprotocol(o) for o in offered], proxy=None)
    if who in people:
        async with opening as socket:
            assert '"hello"' in str(await socket.recv())
    else:
        with pytest.raises(InvalidStatus) as refused:
            await opening
        assert refused.value.response.status_code in (401, 403)
