"""To the real client libraries the fakes look like the real providers."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    AsyncOpenAI,
    AuthenticationError,
    InternalServerError,
    LengthFinishReasonError,
    RateLimitError,
)
from pydantic import BaseModel, ValidationError
from sendgrid.helpers import mail as untyped

from tests.providers.faults import Fault
from tests.providers.running import FakeProvider, provider


class Letter(BaseModel):
    subject: str
    body: str


# One process for all tests: starting Python costs more than what is tested.
@pytest.fixture(scope="module")
async def running_sendgrid(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FakeProvider]:
    async with provider("sendgrid", tmp_path_factory.mktemp("fake")) as fake:
        yield fake


@pytest.fixture(scope="module")
async def running_openai(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FakeProvider]:
    async with provider("openai", tmp_path_factory.mktemp("fake")) as fake:
        yield fake


@pytest.fixture
async def sendgrid(running_sendgrid: FakeProvider) -> FakeProvider:
    return await running_sendgrid.reset()


@pytest.fixture
async def openai(running_openai: FakeProvider) -> FakeProvider:
    return await running_openai.reset()


helpers: Any = untyped


def a_mail(**changes: Any) -> dict[str, Any]:
    sender, client = helpers.Email("agent@example.com"), helpers.To("client@example.org")
    mail = helpers.Mail(sender, client, "Hello")
    mail.add_content(helpers.Content("text/plain", "Hi"))
    mail.add_content(helpers.Content("text/html", "<p>Hi</p>"))
    mail.add_custom_arg(helpers.CustomArg("email_id", "e-1"))
    body: dict[str, Any] = mail.get()
    return {**body, **changes}


async def post(fake: FakeProvider, body: Any, key: str = "Bearer SG.key") -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=fake.url, trust_env=False) as client:
        return await client.post(
            "/v3/mail/send", json=body, headers={"Authorization": key}, timeout=5
        )


async def compose(fake: FakeProvider, **headers: str) -> Letter | None:
    async with AsyncOpenAI(
        api_key="sk", base_url=fake.url, max_retries=0, timeout=5, default_headers=headers
    ) as client:
        completion = await client.chat.completions.parse(
            model="gpt-test",
            messages=[{"role": "user", "content": "Write to\nclient: Ada Byron\nof Leeds"}],
            response_format=Letter,
        )
    return completion.choices[0].message.parsed


async def test_sendgrid_accepts_a_mail_and_records_it(sendgrid: FakeProvider) -> None:
    answer = await post(sendgrid, a_mail())
    assert answer.status_code == 202
    assert answer.content == b""
    [entry] = sendgrid.ledger()
    assert entry["message_id"] == answer.headers["X-Message-Id"]
    assert entry["number"] >= 1
    assert entry["at"].endswith("Z")
    assert entry["to"] == ["client@example.org"]
    assert entry["from"] == "agent@example.com"
    assert entry["subject"] == "Hello"
    assert entry["custom_args"] == {"email_id": "e-1"}
    assert entry["content_types"] == ["text/plain", "text/html"]
    assert entry["request"] == a_mail()
    assert entry["fault"] is None


@pytest.mark.parametrize("key", ["", "Bearer", "Basic abc"])
async def test_sendgrid_requires_a_key(sendgrid: FakeProvider, key: str) -> None:
    answer = await post(sendgrid, a_mail(), key=key)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["message"]
    assert sendgrid.ledger() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": [{"email": "unknown"}]}]}, "personalizations.0.to"),
        ({"from": {"name": "unknown"}}, "from"),
        ({"subject": ""}, "subject"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content"),
        ({"custom_args": {"long": "x" * 10_000}}, "custom_args"),
    ],
)
async def test_sendgrid_names_the_wrong_field(
    sendgrid: FakeProvider, changes: dict[str, Any], field: str
) -> None:
    answer = await post(sendgrid, a_mail(**changes))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert sendgrid.ledger() == []


async def test_faults_apply_in_the_order_of_the_list(sendgrid: FakeProvider) -> None:
    await sendgrid.inject_faults(
        {"status": 500, "times": 2},
        {"status": 429, "headers": {"Retry-After": "2"}, "body": {"errors": []}},
    )
    answers = [await post(sendgrid, a_mail()) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 500, 429, 202]
    assert answers[2].headers["Retry-After"] == "2"
    assert answers[2].json() == {"errors": []}
    assert len(sendgrid.ledger()) == 1


async def test_a_rate_with_a_seed_hits_the_same_requests_every_time(sendgrid: FakeProvider) -> None:
    seen = []
    for _ in range(2):
        await sendgrid.inject_faults({"status": 503, "rate": 0.5, "seed": 7, "times": None})
        seen.append([(await post(sendgrid, a_mail())).status_code for _ in range(12)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {202, 503}
    await sendgrid.clear_faults()
    assert (await post(sendgrid, a_mail())).status_code == 202


def test_only_requests_beyond_so_many_in_a_second_are_refused() -> None:
    fault = Fault(status=429, beyond=3, times=None)
    assert [fault.applies(b"", 0.1 * number) for number in range(5)] == [False] * 3 + [True] * 2
    assert [fault.applies(b"", 1.05), fault.applies(b"", 1.06)] == [False, True]


def test_a_fault_may_be_of_some_requests_alone() -> None:
    fault = Fault(status=400, containing="ann@")
    bodies = (b"ben@example.com", b"ann@example.com", b"ann@example.com")
    assert [fault.applies(body, 0.0) for body in bodies] == [False, True, False]


async def test_an_unknown_fault_is_refused(sendgrid: FakeProvider) -> None:
    with pytest.raises(httpx2.HTTPStatusError, match="422"):
        await sendgrid.inject_faults({"explode": True})


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [({"drop": "before"}, 0), ({"drop": "after"}, 1), ({"truncated": True}, 1)],
)
async def test_a_broken_connection_may_or_may_not_mean_acceptance(
    sendgrid: FakeProvider, fault: dict[str, Any], accepted: int
) -> None:
    await sendgrid.inject_faults(fault)
    with pytest.raises(httpx2.TransportError):
        await post(sendgrid, a_mail())
    assert len(sendgrid.ledger()) == accepted
    assert [entry["fault"] for entry in sendgrid.ledger()] == [fault] * accepted


async def test_a_delayed_answer_is_accepted_at_once(sendgrid: FakeProvider) -> None:
    await sendgrid.inject_faults({"delay": 30.0})
    async with httpx2.AsyncClient(base_url=sendgrid.url, trust_env=False) as client:
        with pytest.raises(httpx2.ReadTimeout):
            await client.post(
                "/v3/mail/send", json=a_mail(), headers={"Authorization": "Bearer k"}, timeout=0.2
            )
    assert len(sendgrid.ledger()) == 1


async def test_a_malformed_acceptance_has_no_message_id(sendgrid: FakeProvider) -> None:
    await sendgrid.inject_faults({"malformed": True})
    answer = await post(sendgrid, a_mail())
    assert answer.status_code == 202
    assert "X-Message-Id" not in answer.headers
    assert len(sendgrid.ledger()) == 1


async def test_a_restarted_provider_keeps_its_address_and_ledger(tmp_path: Path) -> None:
    async with provider("sendgrid", tmp_path) as first:
        await post(first, a_mail())
    async with provider("sendgrid", tmp_path, delay_ms=60) as second:
        assert second.url == first.url
        started = time.monotonic()
        await post(second, a_mail())
        assert time.monotonic() - started >= 0.06
        assert [entry["number"] for entry in second.ledger()] == [1, 2]


async def test_openai_writes_what_the_schema_asks_for(openai: FakeProvider) -> None:
    letter = await compose(openai)
    assert letter is not None
    assert "Ada Byron" in letter.subject
    assert "Ada Byron" in letter.body
    [entry] = openai.ledger()
    assert entry["model"] == "gpt-test"
    assert entry["api"] == "completions"
    assert "client: Ada Byron" in entry["messages"][0]["content"]
    assert Letter.model_validate_json(entry["text"]) == letter


async def test_openai_serves_its_responses_api_too(openai: FakeProvider) -> None:
    async with AsyncOpenAI(api_key="sk", base_url=openai.url, max_retries=0) as client:
        response = await client.responses.parse(
            model="gpt-test", input="Write to client: Ada Byron", text_format=Letter
        )
        await openai.inject_faults({"refusal": True})
        refused = await client.responses.parse(model="gpt-test", input="Hi", text_format=Letter)
    assert response.output_parsed is not None
    assert "Ada Byron" in response.output_parsed.subject
    assert refused.output_parsed is None
    assert [entry["api"] for entry in openai.ledger()] == ["responses"] * 2


async def test_openai_requires_a_key(openai: FakeProvider) -> None:
    with pytest.raises(AuthenticationError):
        await compose(openai, Authorization="none")
    assert openai.ledger() == []


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ({"status": 500}, InternalServerError, 0),
        ({"status": 429}, RateLimitError, 0),
        ({"status": 418}, APIStatusError, 0),
        ({"drop": "before"}, APIConnectionError, 0),
        ({"drop": "after"}, APIConnectionError, 1),
        ({"truncated": True}, APIConnectionError, 1),
        ({"truncated": "content"}, LengthFinishReasonError, 1),
        ({"malformed": True}, (ValueError, APIResponseValidationError), 1),
        ({"malformed": "content"}, ValidationError, 1),
    ],
)
async def test_each_fault_is_seen_by_the_openai_package(
    openai: FakeProvider, fault: dict[str, Any], error: type[Exception], accepted: int
) -> None:
    await openai.inject_faults(fault)
    with pytest.raises(error):
        await compose(openai)
    assert len(openai.ledger()) == accepted
    assert await compose(openai) is not None


async def test_an_exhausted_quota_differs_from_too_many_requests(openai: FakeProvider) -> None:
    await openai.inject_faults({"status": 429, "body": {"error": {"code": "insufficient_quota"}}})
    with pytest.raises(RateLimitError) as caught:
        await compose(openai)
    assert caught.value.code == "insufficient_quota"


async def test_a_refusal_parses_to_nothing(openai: FakeProvider) -> None:
    await openai.inject_faults({"refusal": True})
    assert await compose(openai) is None
