"""SendGrid's webhook: when a signed report counts, what time it has, and which address it is of."""

import time
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from contracts.mailer import RecordDelivery, suppression_id
from services.gateway.commands.client import CommandClient
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.errors import InvalidWebhookSignature
from tests.providers.webhook import Webhook, event

AGENT = uuid4()
ENTRY: dict[str, Any] = {
    "message_id": "m1",
    "to": ["maria@mail.example"],
    "custom_args": {
        **{f"{name}_id": str(uuid4()) for name in ("client", "followup", "email")},
        "agent_id": str(AGENT),
        "attempt": "1",
    },
}
DAY, MINUTE = 86_400, 60


class Sent(CommandClient):
    """Commands that were sent, and the streams that were waited for."""

    def __init__(self) -> None:
        self.commands: list[RecordDelivery] = []
        self.streams: list[str] = []

    async def send(self, command: Any, command_id: UUID) -> None:
        self.commands.append(command)

    async def send_until_applied(
        self, command: Any, command_id: UUID, stream: str, version: int
    ) -> None:
        self.commands.append(command)
        self.streams.append(stream)


class Gateway:
    """The webhook, and SendGrid."""

    def __init__(self) -> None:
        self.sendgrid, self.sent = Webhook(), Sent()
        self._webhook = SendGridWebhook(self.sendgrid.public_key, cast("CommandClient", self.sent))

    async def receive(self, *events: Any, timestamp: str | None = None) -> list[RecordDelivery]:
        body, headers = self.sendgrid.request(events, timestamp)
        await self._webhook.receive(headers, body)
        return self.sent.commands


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.mark.parametrize("ahead", [0, 9 * MINUTE, -DAY, -3 * DAY + 10 * MINUTE])
async def test_a_report_counts_for_three_days(gateway: Gateway, ahead: int) -> None:
    timestamp = str(int(time.time()) + ahead)
    [command] = await gateway.receive(event("open", ENTRY), timestamp=timestamp)
    assert command.kind == "opened"


@pytest.mark.parametrize("ahead", [12 * MINUTE, -3 * DAY - MINUTE, 10**11])
async def test_a_signed_timestamp_has_to_be_of_about_now(gateway: Gateway, ahead: int) -> None:
    with pytest.raises(InvalidWebhookSignature, match="timestamp"):
        await gateway.receive(event("open", ENTRY), timestamp=str(int(time.time()) + ahead))
    assert gateway.sent.commands == []


@pytest.mark.parametrize(
    "form",
    ["now", "-{}", "+{}", "{}e0", "{}.0", " {}", "{} ", "{}000", "0x{}", "9" * 400, "\u0661{}"],
)
async def test_a_signed_timestamp_has_to_be_a_number(gateway: Gateway, form: str) -> None:
    with pytest.raises(InvalidWebhookSignature, match="timestamp"):
        await gateway.receive(event("open", ENTRY), timestamp=form.format(int(time.time())))
    assert gateway.sent.commands == []


@pytest.mark.parametrize("at", [9_999_999_999, "9999-12-31T00:00:00Z", "2286-11-20T17:46:39Z"])
async def test_a_time_to_come_is_taken_for_now(gateway: Gateway, at: object) -> None:
    before = datetime.now(UTC)
    [command] = await gateway.receive(event("open", ENTRY, timestamp=at))
    assert before.timestamp() - 0.001 <= command.at.timestamp() <= time.time()


async def test_a_time_gone_by_is_kept(gateway: Gateway) -> None:
    at = int(time.time()) - 30 * DAY
    [command] = await gateway.receive(event("open", ENTRY, timestamp=at))
    assert command.at.timestamp() == at


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", 10**30])
async def test_a_time_outside_the_calendar_is_skipped(gateway: Gateway, at: object) -> None:
    reports = event("open", ENTRY, timestamp=at), event("click", ENTRY)
    assert [command.kind for command in await gateway.receive(*reports)] == ["clicked"]


@pytest.mark.parametrize("address", ["jo@bücher.example", " JO@xn--bcher-kva.example"])
async def test_an_opt_out_waits_for_the_suppression_of_the_canonical_address(
    gateway: Gateway, address: str
) -> None:
    [command] = await gateway.receive(event("unsubscribe", ENTRY, email=address))
    assert command.personal.email == address
    canonical = suppression_id(AGENT, "jo@xn--bcher-kva.example")
    assert gateway.sent.streams == [f"suppression-{canonical}"]
