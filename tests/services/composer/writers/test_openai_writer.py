"""The writer that asks a model, against a fake OpenAI over real HTTP."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, ProviderAway, Throttled, TryLater
from contracts.composer import TokensUsed
from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import Recipient
from services.composer.settings import ResponseFormat
from services.composer.writer import CompositionRequest
from services.composer.writers import openai_writer
from services.composer.writers.openai_writer import TOKENS, OpenAIWriter
from tests.providers.raw_server import Link, raw_server
from tests.providers.running import FakeProvider, provider

REQUEST = CompositionRequest(
    followup_type="Week 1",
    stage="lead",
    property_type="land",
    recipient=Recipient(
        client=ClientDetails(name="Maria Lopez", email="maria@mail.example", notes="private!"),
        agent=AgentProfile(name="Dana Reed", email="dana@harbor.example"),
    ),
)


# One process for all tests: starting Python costs more than what is tested.
@pytest.fixture(scope="module")
async def running_fake(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FakeProvider]:
    async with provider("openai", tmp_path_factory.mktemp("providers")) as fake:
        yield fake


@pytest.fixture
async def fake(running_fake: FakeProvider) -> FakeProvider:
    return await running_fake.reset()


@pytest.fixture
async def writer(fake: FakeProvider) -> AsyncIterator[OpenAIWriter]:
    writer = OpenAIWriter("sk-test", fake.url, "gpt-test", timeout=2.0, limit=CallLimit(1, 64))
    yield writer
    await writer.close()


async def failure(writer: OpenAIWriter) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await writer.write(REQUEST)
    for private in ("Maria", "maria", "private!", "ordered by the test", "sk-test"):
        assert private not in str(caught.value)
    # The original may hold the prompt or the answer; a traceback must not print it.
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value


async def test_a_letter_is_written_and_the_model_named(
    writer: OpenAIWriter, fake: FakeProvider
) -> None:
    written = await writer.write(REQUEST)
    assert "Maria" in written.composition.body
    assert written.tokens == TokensUsed(prompt=200, completion=120)
    asked = fake.ledger()[-1]
    assert asked["model"] == writer.name == "gpt-test"
    system, user = asked["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    known = json.loads(user["content"].split("\n")[1])
    assert known["recipient"]["name"] == "Maria Lopez"


FORMATS: dict[ResponseFormat, Any] = {
    "json_schema": "json_schema",
    "json_object": "json_object",
    "none": None,
}


@pytest.mark.parametrize("response_format", FORMATS)
async def test_a_server_is_asked_for_the_format_that_it_knows(
    response_format: ResponseFormat, fake: FakeProvider
) -> None:
    writer = OpenAIWriter("sk-test", fake.url, "gpt-test", 2.0, CallLimit(1, 64), response_format)
    assert "Maria" in (await writer.write(REQUEST)).composition.body
    await writer.close()
    assert fake.ledger()[-1]["response_format"] == FORMATS[response_format]


async def test_an_answer_between_other_words_is_found(
    writer: OpenAIWriter, fake: FakeProvider
) -> None:
    text = 'Sure!\n```json\n{"subject": "Hi", "body": "Hi Maria, how are you?"}\n```'
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": text}}
    await fake.inject_faults({"status": 200, "body": {"choices": [choice]}})
    written = await writer.write(REQUEST)
    assert written.composition.subject == "Hi"
    assert written.tokens is None, "this server does not count"


async def test_tokens_are_counted(writer: OpenAIWriter) -> None:
    before = {kind: TOKENS.labels(kind)._value.get() for kind in ("prompt", "completion")}
    await writer.write(REQUEST)
    after = {kind: TOKENS.labels(kind)._value.get() for kind in ("prompt", "completion")}
    assert after["prompt"] - before["prompt"] == 200
    assert after["completion"] - before["completion"] == 120


async def test_sixty_four_letters_at_once(fake: FakeProvider) -> None:
    # On a busy machine so many take more than the two seconds of the other tests.
    writer = OpenAIWriter("sk-test", fake.url, "gpt-test", timeout=30.0, limit=CallLimit(1, 64))
    assert len(await asyncio.gather(*(writer.write(REQUEST) for _ in range(64)))) == 64
    await writer.close()


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_what_may_pass_is_not_final(
    status: int, writer: OpenAIWriter, fake: FakeProvider
) -> None:
    await fake.inject_faults({"status": status})
    failed = await failure(writer)
    assert (failed.final, failed.retry_after) == (False, None)
    assert str(status) in failed.reason
    assert fake.ledger() == [], "nothing is retried by the SDK itself"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 413, 422])
async def test_what_stays_wrong_is_final(
    status: int, writer: OpenAIWriter, fake: FakeProvider
) -> None:
    await fake.inject_faults(
        {"status": status, "headers": {"Location": "http://elsewhere.invalid/"}}
    )
    assert (await failure(writer)).final


async def test_an_empty_purse_is_final_although_it_is_a_429(
    writer: OpenAIWriter, fake: FakeProvider
) -> None:
    error = {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}
    await fake.inject_faults({"status": 429, "body": {"error": error}})
    failed = await failure(writer)
    assert isinstance(failed, ProviderAway)
    assert failed.final


@pytest.mark.parametrize(
    "order", [{"drop": "before"}, {"drop": "after"}, {"delay": 3.0}, {"status": 503}], ids=str
)
async def test_who_does_not_answer_is_away(
    order: dict[str, Any], writer: OpenAIWriter, fake: FakeProvider
) -> None:
    await fake.inject_faults(order)
    assert isinstance(await failure(writer), ProviderAway)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("99999", 3600.0), ("Wed, 21 Oct 2099 07:28:00 GMT", 3600.0)]
    + [(nonsense, None) for nonsense in ("", "nan", "-1", "soon", "Wed, 21 Oct 2009 07:28:00 GMT")],
)
async def test_the_provider_says_how_long_to_wait(
    header: str, seconds: float | None, writer: OpenAIWriter, fake: FakeProvider
) -> None:
    await fake.inject_faults({"status": 429, "headers": {"Retry-After": header}})
    assert (await failure(writer)).retry_after == seconds


async def test_what_a_refusal_announces_is_waited_for(fake: FakeProvider) -> None:
    limit = CallLimit(1, 64)
    writer = OpenAIWriter("sk-test", fake.url, "gpt-test", timeout=2.0, limit=limit)
    announced = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    await fake.inject_faults({"status": 429, "headers": announced})
    assert isinstance(await failure(writer), Throttled)
    with pytest.raises(TryLater) as later:
        await writer.write(REQUEST)
    await writer.close()
    assert later.value.after > 300


async def test_a_refusal_is_final(writer: OpenAIWriter, fake: FakeProvider) -> None:
    await fake.inject_faults({"refusal": True})
    assert (await failure(writer)).final


BROKEN: list[dict[str, Any]] = [
    {"malformed": True},
    {"malformed": "content"},
    {"truncated": True},
    {"truncated": "content"},
    {"drop": "before"},
    {"drop": "after"},
    {"delay": 3.0},
    {"status": 200, "body": {"choices": None}},
    {"status": 200, "body": {"choices": []}},
    {"status": 200, "body": {"choices": [{"finish_reason": "stop"}]}},
    {"status": 200, "body": ["not", "an", "object"]},
    {"status": 200, "body": "text", "headers": {"content-type": "text/html"}},
]


@pytest.mark.parametrize("order", BROKEN, ids=str)
async def test_an_answer_that_is_broken_or_late_may_be_better_next_time(
    order: dict[str, Any], writer: OpenAIWriter, fake: FakeProvider
) -> None:
    await fake.inject_faults(order)
    assert not (await failure(writer)).final
    assert await writer.write(REQUEST)


async def test_the_content_filter_is_final(writer: OpenAIWriter, fake: FakeProvider) -> None:
    choice = {"index": 0, "finish_reason": "content_filter", "message": {"role": "assistant"}}
    await fake.inject_faults({"status": 200, "body": {"choices": [choice]}})
    assert (await failure(writer)).final


LETTER = b'{"choices": [{"finish_reason": "stop", "message": {"content":'
LETTER += b' "{\\"subject\\": \\"Hi\\", \\"body\\": \\"Hi Maria\\"}"}}]}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWER += b"Content-Length: %d\r\n\r\n%b" % (len(LETTER), LETTER)


async def answer_once(link: Link) -> None:
    await link.request()
    link.answer(ANSWER)


async def reset_once_read(link: Link) -> None:
    await link.request()
    link.reset()


async def written_by(url: str) -> str:
    """Write one letter with a patient writer; return its subject."""
    writer = OpenAIWriter("sk-test", f"{url}/v1", "gpt-test", timeout=60.0, limit=CallLimit(1, 512))
    try:
        return (await writer.write(REQUEST)).composition.subject
    finally:
        await writer.close()


async def test_a_refused_connection_is_not_final() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        writer = OpenAIWriter("sk-test", url, "gpt-test", timeout=1.0, limit=CallLimit(1, 64))
        assert not (await failure(writer)).final
        await writer.close()


async def test_a_lost_connection_is_not_called_a_timeout_and_nothing_is_repeated() -> None:
    async with raw_server(reset_once_read) as server:
        with pytest.raises(CallFailed, match="the connection to the model's provider failed"):
            await written_by(server.url)
    assert len(server.requests) == 1


async def test_no_letter_waits_for_another_one_s_connection() -> None:
    all_here = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        if len(link.server.requests) == 200:
            all_here.set()
        await all_here.wait()
        link.answer(ANSWER)

    async with raw_server(script) as server:
        writer = OpenAIWriter(
            "sk-test", f"{server.url}/v1", "gpt-test", timeout=60.0, limit=CallLimit(1, 512)
        )
        await asyncio.gather(*(writer.write(REQUEST) for _ in range(200)))
        await writer.close()
    assert server.connections == 200


async def test_a_connection_that_has_idled_too_long_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openai_writer, "_IDLE_SECONDS", 0.001)

    async def script(link: Link) -> None:
        while await link.request():
            link.answer(ANSWER)

    async with raw_server(script) as server:
        writer = OpenAIWriter(
            "sk-test", f"{server.url}/v1", "gpt-test", timeout=60.0, limit=CallLimit(1, 512)
        )
        for _ in range(2):
            await writer.write(REQUEST)
            await asyncio.sleep(0.01)
        await writer.close()
    assert server.connections == 2


async def test_the_proxy_of_the_environment_is_used_with_its_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_server(answer_once) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//dana:p%40ss@"))
        monkeypatch.setenv("no_proxy", "internal.example")
        assert await written_by("http://model.example") == "Hi"
    [request] = proxy.requests
    assert request.startswith(b"POST http://model.example/v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic ZGFuYTpwQHNz\r\n" in request


async def test_a_proxy_that_refuses_the_tunnel_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(link: Link) -> None:
        await link.request()
        link.answer(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")

    async with raw_server(refuse) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(CallFailed) as failed:
            await written_by("https://model.example")
    assert not failed.value.final
    [request] = proxy.requests
    assert request.startswith(b"CONNECT model.example:443 HTTP/1.1\r\n")
    assert b"sk-test" not in request
