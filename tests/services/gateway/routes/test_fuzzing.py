"""Generated requests: every response is one that the OpenAPI document announces.

EXAMPLES is how many requests each operation gets at most, of those that fit the schema and again of
those that do not.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.servers import Server
from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import api_of
from tests.services.gateway.users import person, promote
from tests.system import AUTHORIZED, system

EXAMPLES = int(os.environ.get("EXAMPLES", "5"))
# With those of whom the schema leaves nothing but a path to choose, so many come together.
LONG_EXAMPLES, AT_LEAST = 120, 5_000
SCHEMA = schemathesis.openapi.from_path(Path(__file__).parents[4] / "docs" / "openapi.json")
OPERATIONS = {
    operation.label: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok))
    # Ends never: test_live and test_access_matrix read it.
    if operation.label != "GET /api/events"
}
# They would end the session that all requests are made in, or change its log-in; a key has none,
# and is answered 403.
BY_KEY = tuple(f"POST /api/auth/{name}" for name in ("email", "logout", "password"))
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@dataclass
class Target:
    """A gateway, a token of an admin, and by the names of path parameters what there is."""

    url: str
    headers: dict[str, str]
    ids: dict[str, list[str]]
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, label: str, case: schemathesis.Case[Any]) -> None:
        headers = AUTHORIZED if label in BY_KEY else self.headers
        response = case.call_and_validate(
            base_url=self.url, headers=headers, checks=CHECKS, timeout=30
        )
        self.statuses[response.status_code] += 1


@pytest.fixture(scope="module")
async def target(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """A gateway without composer and mailer: commands to them stay pending."""
    prefix = f"fuzz-{uuid4().hex[:8]}."
    async with (
        system(
            tmp_path_factory.mktemp("fuzzed"),
            kafka,
            mongodb_server,
            prefix=prefix,
            services=("crm", "scheduler", "gateway"),
            environment={"ACCESS_TOKEN_SECONDS": "7200", "COMMAND_TIMEOUT_SECONDS": "0.3"},
        ) as running,
        api_of(running.api[0], kafka, prefix) as api,
        person(running.api[0]) as ana,
        person(running.api[0]) as bo,
    ):
        bo_id = (await bo.http.get("/api/agents/me")).json()["id"]
        agent_id = await promote(ana)
        story = Story(UUID(agent_id), uuid4())
        await api.publish(
            *(story.planned(), story.due(3, 14), story.requested(3, 14), story.composed(3, 14)),
            *(story.queued(3, 14), story.started(3, 14), story.unknown(3, 14.1)),
            *(story.due(2, 7), story.requested(2, 7), story.not_composed(2, 7)),
        )
        api.http.headers["Authorization"] = ana.http.headers["Authorization"]
        await api.get_until(f"/api/emails/{story.emails[3]}", lambda r: r.status_code == 200)
        clients = [await api.add(custom_fields={"source": "fair"}) for _ in range(3)]
        key = await ana.make_key("to be removed")
        yield Target(
            running.api[0],
            {"Authorization": ana.http.headers["Authorization"]},
            {
                "client_id": clients,
                "task_id": [str(id_) for id_ in story.ids],
                "email_id": [str(story.emails[3])],
                "key_id": [key.json()["_id"]],
                # Not the caller, who would lose the rights of an admin.
                "agent_id": [bo_id],
            },
        )
        # The story is told in the scheduler's name, which notices it.
        assert [error for error in running.errors() if '"event": "fork"' not in error] == []


def ask(target: Target, label: str, mode: schemathesis.GenerationMode, most: int) -> None:
    """Ask one operation that often, half of the times about something that is there."""
    operation = OPERATIONS[label]

    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=most == EXAMPLES,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def asked(case: schemathesis.Case[Any], data: Any) -> None:
        for name in case.path_parameters or {}:
            if name in target.ids and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(target.ids[name]))
        target.ask(label, case)

    try:
        asked()
    except Unsatisfiable:
        # There is no wrong request where nothing is asked for.
        assert mode is schemathesis.GenerationMode.NEGATIVE


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_described(target: Target, label: str) -> None:
    for mode in MODES:
        ask(target, label, mode, EXAMPLES)


@pytest.fixture
def counted(target: Target) -> Iterator[Counter[int]]:
    target.statuses.clear()
    yield target.statuses
    print(f"\n{target.statuses.total()} requests, answered {dict(sorted(target.statuses.items()))}")  # noqa: T201


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_answer_to_thousands_of_requests_is_as_described(
    target: Target, counted: Counter[int]
) -> None:
    for label in OPERATIONS:
        for mode in MODES:
            ask(target, label, mode, LONG_EXAMPLES)
    assert counted.total() >= AT_LEAST
