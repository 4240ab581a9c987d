"""The SendGrid transport against a fake SendGrid over real HTTP: sent, refused or unknown."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown
from services.mailer.transports.headers import Sender
from services.mailer.transports.sendgrid import SendGridTransport
from services.mailer.transports.transport import Redirect, Tracking
from tests.providers.running import FakeProvider, provider
from tests.services.mailer.sample_letters import ENDING, SENT_FROM, outgoing, to_client


# One process for all tests: starting Python costs more than what is tested.
@pytest.fixture(scope="module")
async def running_fake(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FakeProvider]:
    async with provider("sendgrid", tmp_path_factory.mktemp("providers")) as fake:
        yield fake


@pytest.fixture
async def fake(running_fake: FakeProvider) -> FakeProvider:
    return await running_fake.reset()


@pytest.fixture
async def transport(fake: FakeProvider) -> AsyncIterator[SendGridTransport]:
    transport = SendGridTransport(
        "SG.test", fake.url, SENT_FROM, timeout=1.0, limit=CallLimit(1, 64)
    )
    yield transport
    await transport.close()


async def test_a_letter_goes_out_whole(transport: SendGridTransport, fake: FakeProvider) -> None:
    sent = outgoing(
        reply_to="dana@harbor.example", body="Hi <Maria>,\n\nsee https://x.example/a?b&c."
    )
    message_id = await transport.send(sent)
    [entry] = fake.ledger()
    assert entry["message_id"] == message_id
    assert entry["to"] == ["maria@mail.example"]
    assert entry["from"] == "noreply@realtoros.example"
    assert entry["content_types"] == ["text/plain", "text/html"]
    assert entry["custom_args"] == {"email_id": "e1", "attempt": "1"}
    request = entry["request"]
    assert request["from"]["name"] == "Dana Reed"
    assert request["reply_to"] == {"email": "dana@harbor.example"}
    text, html = (part["value"] for part in request["content"])
    assert text.startswith("Hi <Maria>,")
    assert "<p>Hi &lt;Maria&gt;,</p>" in html
    assert '<a href="https://x.example/a?b&amp;c">https://x.example/a?b&amp;c</a>.</p>' in html


@pytest.mark.parametrize(
    ("tracking", "clicks", "opens"),
    [("none", False, False), ("opens", False, True), ("all", True, True)],
)
async def test_each_request_says_what_is_tracked_and_how_to_opt_out(
    fake: FakeProvider, tracking: Tracking, clicks: bool, opens: bool
) -> None:
    transport = SendGridTransport("SG.test", fake.url, SENT_FROM, 1.0, CallLimit(1, 64), tracking)
    sent = to_client(before := uuid4(), language="es")
    await transport.send(sent)
    await transport.send(replace(outgoing(), tracked=False))
    await transport.close()
    to_a_client, notice = fake.ledger()
    settings = to_a_client["request"]["tracking_settings"]
    assert settings == {
        "click_tracking": {"enable": clicks, "enable_text": clicks},
        "open_tracking": {"enable": opens},
        "subscription_tracking": {"enable": False},
    }
    assert to_a_client["request"]["headers"] == {
        "Message-ID": f"<{sent.id}@realtoros.example>",
        "In-Reply-To": f"<{before}@realtoros.example>",
        "References": f"<{before}@realtoros.example>",
        "List-Unsubscribe": f"<{ENDING.opt_out_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    text, html = (part["value"] for part in to_a_client["request"]["content"])
    assert text.endswith(f"Springfield, IL 62701\n\nDarse de baja: {ENDING.opt_out_url}")
    assert '<html lang="es" dir="ltr">' in html
    off = notice["request"]["tracking_settings"]
    assert not any(one["enable"] for one in off.values())
    assert notice["request"]["headers"].keys() == {"Message-ID"}


async def test_domains_go_out_as_punycode(fake: FakeProvider) -> None:
    transport = SendGridTransport(
        "SG.test", fake.url, Sender("noreply@büro.example"), timeout=1.0, limit=CallLimit(1, 64)
    )
    await transport.send(outgoing(to_email="Jo@Bücher.example", reply_to="dana@büro.example"))
    await transport.close()
    [entry] = fake.ledger()
    assert entry["to"] == ["Jo@xn--bcher-kva.example"]
    assert entry["from"] == "noreply@xn--bro-hoa.example"
    assert entry["request"]["reply_to"] == {"email": "dana@xn--bro-hoa.example"}


async def test_sixty_four_at_once(fake: FakeProvider) -> None:
    # On a busy machine so many connections take more than the quarter of a second that a timeout
    # of one leaves to each.
    transport = SendGridTransport(
        "SG.test", fake.url, SENT_FROM, timeout=30.0, limit=CallLimit(1, 64)
    )
    ids = await asyncio.gather(*(transport.send(outgoing()) for _ in range(64)))
    await transport.close()
    assert len(set(ids)) == len(fake.ledger()) == 64


@pytest.mark.parametrize(
    ("status", "final"),
    [
        *((status, False) for status in (408, 429, 500, 502, 503)),
        *((status, True) for status in (301, 400, 401, 403, 413)),
    ],
)
async def test_a_status_is_an_answer_and_the_letter_was_not_taken(
    status: int, final: bool, transport: SendGridTransport, fake: FakeProvider
) -> None:
    await fake.inject_faults({"status": status, "headers": {"Retry-After": "30"}})
    with pytest.raises(CallFailed) as refused:
        await transport.send(outgoing())
    assert (refused.value.final, refused.value.retry_after) == (final, 30)
    assert refused.value.reason == f"the mail provider answered {status}"
    assert fake.ledger() == []


@pytest.mark.parametrize(
    "order", [{"drop": "before"}, {"drop": "after"}, {"delay": 1.5}, {"status": 504}], ids=str
)
async def test_no_answer_is_neither_sent_nor_refused(
    order: dict[str, Any], transport: SendGridTransport, fake: FakeProvider
) -> None:
    await fake.inject_faults(order)
    with pytest.raises(OutcomeUnknown) as unknown:
        await transport.send(outgoing())
    assert "maria" not in unknown.value.reason.lower()
    assert len(fake.ledger()) == (order in ({"drop": "after"}, {"delay": 1.5})), (
        "and it is not sent again"
    )
    assert await transport.send(outgoing())


@pytest.mark.parametrize("order", [{"truncated": True}, {"malformed": True}], ids=str)
async def test_an_acceptance_with_a_broken_body_is_an_acceptance(
    order: dict[str, Any], transport: SendGridTransport, fake: FakeProvider
) -> None:
    await fake.inject_faults(order)
    message_id = await transport.send(outgoing())
    assert message_id in (None, fake.ledger()[0]["message_id"])


@pytest.mark.parametrize("letter", [{"to_email": "a@b.c\r\nBcc: x@y.z"}, {"reply_to": "a b"}])
async def test_an_address_is_refused_rather_than_mended(
    letter: dict[str, Any], transport: SendGridTransport, fake: FakeProvider
) -> None:
    with pytest.raises(CallFailed) as refused:
        await transport.send(outgoing(**letter))
    assert refused.value.final
    assert fake.ledger() == []


async def test_a_letter_that_looks_like_a_key_is_refused(transport: SendGridTransport) -> None:
    with pytest.raises(CallFailed) as refused:
        await transport.send(outgoing(body="SG.abc.def"))
    assert refused.value.final


async def test_staging_sends_everything_to_one_address(
    transport: SendGridTransport, fake: FakeProvider
) -> None:
    await Redirect(transport, "staging@team.example").send(outgoing())
    [entry] = fake.ledger()
    assert entry["to"] == ["staging@team.example"]
    assert entry["subject"] == "Hello"
    assert entry["request"]["personalizations"][0]["to"][0]["name"] == "Maria Lopez"
    with pytest.raises(ValueError, match="not an email address"):
        Redirect(transport, "invalid")


@pytest.mark.parametrize(
    "base_url",
    ["mail.example", "ftp://mail.example", "", "http://[::1", "http://a:99999", "http://a@b.c"],
)
def test_a_wrong_address_stops_the_start(base_url: str) -> None:
    with pytest.raises(ValueError, match="SENDGRID_BASE_URL"):
        SendGridTransport("SG.test", base_url, SENT_FROM, timeout=1.0, limit=CallLimit(1, 64))


@pytest.mark.parametrize("key", ["SG.x\n", "SG.x\r\nBcc: a@b.c", "SG.\N{BULLET}"])
def test_a_key_that_cannot_be_a_header_stops_the_start(key: str) -> None:
    with pytest.raises(ValueError, match="SENDGRID_API_KEY") as wrong:
        SendGridTransport(
            key, "http://mail.example", SENT_FROM, timeout=1.0, limit=CallLimit(1, 64)
        )
    assert "SG." not in str(wrong.value)


async def test_replies_go_to_the_agent_first_and_to_the_letter_s_own_address(
    transport: SendGridTransport, fake: FakeProvider
) -> None:
    own = "r-aaaa@replies.reed.example"
    await transport.send(replace(outgoing(reply_to="dana@büro.example"), reply_address=own))
    await transport.send(replace(outgoing(), reply_address=own))
    both, alone = (entry["request"] for entry in fake.ledger())
    assert both["reply_to_list"] == [{"email": "dana@xn--bro-hoa.example"}, {"email": own}]
    assert "reply_to" not in both
    assert alone["reply_to"] == {"email": own}
