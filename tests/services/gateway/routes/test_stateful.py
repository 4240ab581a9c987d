"""Any sequence of calls of one agent against a model of what they should see."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.servers import Server
from tests.system import authorized, system

STAGES = st.sampled_from(["lead", "negotiating", "closed"])
NOTES = st.one_of(st.none(), st.text(st.characters(categories=["L", "N", "P"]), max_size=40))
EXAMPLES, STEPS = 12, 18


class Office(RuleBasedStateMachine):
    """Clients as the agent knows them, by id; the API has to show the same."""

    clients = Bundle("clients")
    gone = Bundle("gone")
    http: httpx2.Client

    def __init__(self) -> None:
        super().__init__()
        self.word = f"w{uuid4().hex[:10]}"
        self.known: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, str] = {}

    def ask(self, method: str, path: str, **parts: Any) -> httpx2.Response:
        """Ask; whatever comes, the server is not at fault."""
        answer = self.http.request(method, f"/api/{path}", **parts)
        assert answer.status_code < 500, (method, path, answer.text)
        return answer

    @rule(target=clients, stage=STAGES, again=st.booleans())
    def create(self, stage: str, again: bool) -> str:
        """Add a client, sometimes twice with the same key: it is one."""
        body = {"name": self.word, "email": f"{uuid4().hex}@clients.example.com", "stage": stage}
        headers = {"Idempotency-Key": uuid4().hex}
        answer = self.ask("POST", "clients", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        if again:
            repeated = self.ask("POST", "clients", json=body, headers=headers)
            assert (repeated.status_code, repeated.content) == (201, answer.content)
        client = str(answer.json()["client_id"])
        self.known[client] = body | {"notes": None}
        return client

    @rule(client=clients, stage=STAGES, notes=NOTES)
    def change(self, client: str, stage: str, notes: str | None) -> None:
        """Change a client; a tag that was read before is good no longer, if anything changed."""
        change = {"stage": stage, "notes": notes}
        answer = self.ask("PATCH", f"clients/{client}", json=change)
        assert answer.status_code == 200, answer.text
        self.known[client] |= change
        self.matches(client, answer.json())

    @rule(client=clients)
    def read(self, client: str) -> None:
        """Read a client, and remember its tag."""
        answer = self.ask("GET", f"clients/{client}")
        self.matches(client, answer.json())
        tag = answer.headers["etag"]
        known = self.ask("GET", f"clients/{client}", headers={"If-None-Match": tag})
        assert known.status_code == 304
        self.tags[client] = tag

    @rule(client=clients, notes=NOTES)
    def change_what_was_read(self, client: str, notes: str | None) -> None:
        """Change it only if it is what was read last."""
        tag = self.tags.pop(client, '"never"')
        now = self.ask("GET", f"clients/{client}").headers["etag"]
        headers = {"If-Match": tag}
        answer = self.ask("PATCH", f"clients/{client}", json={"notes": notes}, headers=headers)
        assert answer.status_code == (200 if tag == now else 412), answer.text
        if answer.is_success:
            self.known[client]["notes"] = notes
            self.matches(client, answer.json())

    @rule(client=clients, other=clients)
    def take_another_s_email(self, client: str, other: str) -> None:
        """An email is one client's only."""
        email = self.known[other]["email"].upper()
        answer = self.ask("PATCH", f"clients/{client}", json={"email": email})
        if client == other:
            assert answer.status_code == 200
            self.known[client]["email"] = answer.json()["email"]
        else:
            assert answer.status_code == 409

    @rule(client=clients)
    def pause(self, client: str) -> None:
        """Pause and resume a plan: what is not allowed is a conflict, or not there yet."""
        paused = self.ask("POST", f"clients/{client}/plan/pause")
        assert paused.status_code in (200, 404, 409), paused.text
        if paused.is_success:
            assert paused.json()["plan_paused"] is True
            resumed = self.ask("POST", f"clients/{client}/plan/resume")
            assert (resumed.status_code, resumed.json()["plan_paused"]) == (200, False)

    @rule(client=clients, notes=NOTES, cancel=st.booleans())
    def see_to_a_follow_up(self, client: str, notes: str | None, cancel: bool) -> None:
        """Annotate the first follow-up there is, and cancel it if it is pending."""
        tasks = self.ask("GET", f"clients/{client}/tasks").json()
        for task in tasks[:1]:
            path = f"tasks/{task['_id']}"
            noted = self.ask("PATCH", path, json={"notes": notes})
            assert (noted.status_code, noted.json()["notes"]) == (200, notes), noted.text
            if cancel:
                answer = self.ask("POST", f"{path}/cancel")
                assert answer.status_code in (200, 409), answer.text
                shown = self.ask("GET", path).json()["status"]
                assert shown == "cancelled" or answer.status_code == 409

    @rule(target=gone, client=consumes(clients))
    def delete(self, client: str) -> str:
        """Delete a client."""
        assert self.ask("DELETE", f"clients/{client}").status_code == 204
        del self.known[client]
        return client

    @rule(client=gone)
    def what_is_gone_is_not_there(self, client: str) -> None:
        """Nothing works on a deleted client."""
        for method, path in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("GET", "/tasks"),
            ("GET", "/timeline"),
            ("POST", "/plan/pause"),
        ):
            body = {"json": {"notes": "x"}} if method == "PATCH" else {}
            answer = self.ask(method, f"clients/{client}{path}", **body)
            assert answer.status_code == 404, (method, path, answer.text)

    @invariant()
    def the_list_shows_what_is_known(self) -> None:
        """What was written is read, at once; nothing more, nothing less."""
        list_page = self.ask("GET", "clients", params={"q": self.word, "limit": "100"})
        assert list_page.headers["x-total-count"] == str(len(self.known))
        assert {client["_id"] for client in list_page.json()} == self.known.keys()
        for client in list_page.json():
            self.matches(client["_id"], client)

    def matches(self, client: str, shown: dict[str, Any]) -> None:
        """Compare what is shown with what is known."""
        expected = self.known[client]
        assert {name: shown[name] for name in expected} == expected


@pytest.fixture(scope="module")
async def url(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """A gateway of this test's own, and the headers of its agent."""
    agent_id = uuid4()
    async with system(
        tmp_path_factory.mktemp("office"),
        kafka,
        mongodb_server,
        prefix=f"office-{uuid4().hex[:8]}.",
        services=("crm", "scheduler", "gateway"),
        # So that on a slow machine, too, a write is answered when it is done.
        environment={"AGENT_ID": str(agent_id), "COMMAND_TIMEOUT_SECONDS": "25"},
    ) as running:
        yield running.api[0], authorized(agent_id)


@pytest.mark.timeout(240)
def test_whatever_is_called_in_whatever_order_the_api_shows_what_was_done(
    url: tuple[str, dict[str, str]],
) -> None:
    base, headers = url
    with httpx2.Client(base_url=base, headers=headers, timeout=30, trust_env=False) as http:

        class OfficeThere(Office):
            pass

        OfficeThere.http = http
        run_state_machine_as_test(
            OfficeThere,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate],
            ),
        )
