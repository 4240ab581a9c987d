"""SendGrid's webhook: when a signed report counts, of which email it is, and what becomes of it."""

import json
import random
import string
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Raw
from contracts.mailer import RecordDelivery, suppression_id
from services.gateway.commands.client import CommandClient
from services.gateway.commands.report_placement import ReportPlacement
from services.gateway.commands.sendgrid_reports import Report
from services.gateway.commands.sendgrid_signature import SIGNATURE, TIMESTAMP, VerificationKey
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.errors import InvalidWebhookSignature
from tests.providers.webhook import Webhook, event
from tests.services.gateway.commands.suppressed import Suppressed

AGENT = uuid4()
ENTRY: dict[str, Any] = {
    "message_id": "m1",
    "to": ["maria@mail.example"],
    "custom_args": {
        **{f"{name}_id": str(uuid4()) for name in ("client", "followup", "email")},
        "agent_id": str(AGENT),
        "send_attempt": "1",
    },
}
KNOWN: Raw = {
    "_id": uuid4(),
    "agent_id": uuid4(),
    "sender_id": AGENT,
    "client_id": uuid4(),
    "task_id": uuid4(),
    "to_email": "maria@mail.example",
    "sendgrid_message_id": "14c5d75ce93.dfd.64b469",
}
DAY, MINUTE = 86_400, 60


class Sent(CommandClient):
    """Commands that were sent, by id, and what was put into quarantine."""

    def __init__(self) -> None:
        self.commands: dict[UUID, RecordDelivery] = {}
        self.quarantined: dict[UUID, tuple[Any, str]] = {}

    async def send_all(self, commands: Sequence[tuple[UUID, Any]]) -> None:
        self.commands.update(commands)

    async def quarantine(self, source: str, id_: UUID, value: bytes, reason: str) -> None:
        self.quarantined[id_] = json.loads(value), reason


class OneKnown(ReportPlacement):
    """A view that has one email."""

    def __init__(self) -> None:
        """Need no database."""

    async def _look_up(self, reports: Sequence[Report]) -> tuple[dict[UUID, Raw], dict[str, Raw]]:
        return {KNOWN["_id"]: KNOWN}, {KNOWN["sendgrid_message_id"]: KNOWN}


class Gateway:
    """The webhook, and SendGrid."""

    def __init__(self) -> None:
        self.sendgrid, self.sent, self.opt_outs = Webhook(), Sent(), Suppressed()
        self._webhook = SendGridWebhook(
            VerificationKey(self.sendgrid.public_key), self.sent, self.opt_outs, OneKnown()
        )

    async def receive(self, *events: Any, timestamp: str | None = None) -> list[RecordDelivery]:
        body, headers = self.sendgrid.request(events, timestamp)
        await self.receive_raw(headers, body)
        return list(self.sent.commands.values())

    async def receive_raw(self, headers: dict[str, str], body: bytes) -> None:
        await self._webhook.receive(headers, body)


def unnamed(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event without custom args."""
    plain = {"event": kind, "timestamp": int(time.time()), "email": "maria@mail.example"}
    return plain | fields


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
    assert gateway.sent.commands == {}


async def test_none_of_a_thousand_forged_requests_is_taken(gateway: Gateway) -> None:
    seed = random.Random(14)
    body, headers = gateway.sendgrid.request([event("unsubscribe", ENTRY)])
    genuine = {"body": body.decode(), **headers}
    others = [Webhook().request([event("unsubscribe", ENTRY)])[1][SIGNATURE] for _ in range(9)]
    for number in range(1000):
        forged = dict(genuine)
        part = seed.choice(["body", SIGNATURE, TIMESTAMP])
        if number % 3:
            forged[part] = _mutated(forged[part], seed)
        elif number % 2:
            forged[SIGNATURE] = seed.choice([*others, "", "AA==", "é", genuine[SIGNATURE][::-1]])
        else:
            del forged[seed.choice([SIGNATURE, TIMESTAMP])]
        if forged == genuine:
            continue
        sent = forged.pop("body").encode()
        with pytest.raises(InvalidWebhookSignature):
            await gateway.receive_raw(forged, sent)
    assert gateway.sent.commands == {}
    assert gateway.opt_outs.commands == []
    # A genuine one counts, ten times as once.
    for _ in range(10):
        await gateway.receive_raw(headers, body)
    assert len(gateway.sent.commands) == 1


def _mutated(text: str, seed: random.Random) -> str:
    at, letter = seed.randrange(len(text)), seed.choice(string.ascii_letters + string.digits)
    changes = (text[:at], text[:at] + letter + text[at + 1 :], text[:at] + letter + text[at:])
    return seed.choice(changes)


@pytest.mark.parametrize(
    "form",
    ["now", "-{}", "+{}", "{}e0", "{}.0", " {}", "{} ", "{}000", "0x{}", "9" * 400, "\u0661{}"],
)
async def test_a_signed_timestamp_has_to_be_a_number(gateway: Gateway, form: str) -> None:
    with pytest.raises(InvalidWebhookSignature, match="timestamp"):
        await gateway.receive(event("open", ENTRY), timestamp=form.format(int(time.time())))
    assert gateway.sent.commands == {}


@pytest.mark.parametrize(
    "at",
    [
        *(9_999_999_999, 9_999_999_999_999, "9999-12-31T00:00:00Z", "2286-11-20T17:46:39Z"),
        *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", 10**30),
        *(0, -1, 1, "", "soon", None, [], True, "1970-01-01T00:00:00Z"),
    ],
)
async def test_a_time_to_come_or_that_cannot_be_is_taken_for_now(
    gateway: Gateway, at: object
) -> None:
    before = datetime.now(UTC)
    [command] = await gateway.receive(event("open", ENTRY, timestamp=at))
    assert before.timestamp() - 0.001 <= command.at.timestamp() <= time.time()


async def test_a_time_gone_by_is_kept(gateway: Gateway) -> None:
    at = int(time.time()) - 30 * DAY
    [command] = await gateway.receive(event("open", ENTRY, timestamp=at))
    assert command.at.timestamp() == at


@pytest.mark.parametrize("address", ["jo@bücher.example", " JO@xn--bcher-kva.example"])
async def test_an_opt_out_waits_for_the_suppression_of_the_canonical_address(
    gateway: Gateway, address: str
) -> None:
    [command] = await gateway.receive(event("unsubscribe", ENTRY, email=address))
    [opt_out] = gateway.opt_outs.commands
    assert command.personal.email == opt_out.personal.email == address
    assert opt_out.suppression_id == suppression_id(AGENT, "jo@xn--bcher-kva.example")
    assert (opt_out.reason, opt_out.reported_at) == ("unsubscribed", command.at)
    gateway.opt_outs.confirmed = False
    with pytest.raises(TimeoutError):
        await gateway.receive(event("unsubscribe", ENTRY, email=address))


async def test_a_report_without_an_id_of_its_own_has_one_effect(gateway: Gateway) -> None:
    report = unnamed("unsubscribe", **ENTRY["custom_args"])
    again = dict(reversed(report.items()))
    other = report | {"timestamp": report["timestamp"] - 1}
    for nameless in ({}, {"sg_event_id": ""}, {"sg_event_id": None}):
        gateway.sent.commands.clear()
        await gateway.receive(report | nameless, again | nameless)
        await gateway.receive(again | nameless)
        assert len(gateway.sent.commands) == 1
        assert len(await gateway.receive(other | nameless)) == 2


@pytest.mark.parametrize(
    "named",
    [
        {"sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"},
        {"sg_message_id": "14c5d75ce93.dfd.64b469"},
        {"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"},
        {"smtp-id": f"<{KNOWN['_id']}.1@mail.example>"},
        {"smtp-id": f"<{KNOWN['_id'].hex}@mail.example>"},
        {"email_id": str(KNOWN["_id"])},
        {"email_id": str(KNOWN["_id"]), "agent_id": "x", "email": None},
        {"sg_message_id": "14c5d75ce93.dfd.64b469.recvd-1", "email": None},
    ],
)
async def test_without_custom_args_the_email_is_found_by_its_message_id(
    gateway: Gateway, named: dict[str, Any]
) -> None:
    [command] = await gateway.receive(unnamed("group_unsubscribe", **named))
    ids = (command.agent_id, command.client_id, command.followup_id, command.email_id)
    assert ids == (AGENT, KNOWN["client_id"], KNOWN["task_id"], KNOWN["_id"])
    assert command.personal.email == KNOWN["to_email"]
    [opt_out] = gateway.opt_outs.commands
    assert (opt_out.agent_id, opt_out.reported_client) == (AGENT, KNOWN["client_id"])
    assert gateway.sent.quarantined == {}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (unnamed("unsubscribe"), "unsubscribed: of an email that is not known"),
        (unnamed("bounce", sg_message_id="x.dfd"), "bounced: of an email that is not known"),
        (unnamed("open", sg_message_id=7), "opened: of an email that is not known"),
        (unnamed("bounce", alert_id=str(uuid4())), "bounced: of an alert or a notice"),
        (unnamed("resigned"), "event: missing or unknown"),
        ({}, "event: missing or unknown"),
        ({"event": ["open"]}, "event: missing or unknown"),
        ("open", "not an object"),
        (None, "not an object"),
        ([[]], "not an object"),
    ],
)
async def test_what_cannot_be_placed_is_kept_once_and_does_not_stop_the_others(
    gateway: Gateway, report: object, reason: str
) -> None:
    for _ in range(2):
        commands = await gateway.receive(report, event("click", ENTRY), report)
        assert [command.kind for command in commands] == ["clicked"]
    assert list(gateway.sent.quarantined.values()) == [(report, reason)]


@pytest.mark.parametrize(
    "report",
    [
        *(unnamed("processed"), unnamed("deferred", attempt="3")),
        *(unnamed("delivered", alert_id="a"), unnamed("open", notice_id="n")),
    ],
)
async def test_what_changes_nothing_is_not_kept(gateway: Gateway, report: Any) -> None:
    assert await gateway.receive(report) == []
    assert gateway.sent.quarantined == {}
