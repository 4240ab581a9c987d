"""What SendGrid's reports say: by their names, reasons and codes."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.mailer import DeliveryKind
from services.gateway.commands.bounces import bounce_kind, drop_kind
from services.gateway.commands.sendgrid_reports import Report, read_report

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
IDS = {f"{name}_id": str(uuid4()) for name in ("agent", "client", "followup", "email")}


def read(event: str, **fields: Any) -> Report:
    report = read_report({"event": event, "email": "jo@mail.example", **IDS} | fields, NOW)
    assert report
    return report


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Recipient List over Package Quota", "blocked"),
        ("Spam Content (if spam checker app enabled)", "blocked"),
        ("Invalid SMTPAPI header", "blocked"),
        ("", "blocked"),
        ("something new", "blocked"),
        ("Bounced Address", "bounced"),
        ("Invalid", "bounced"),
        ("Unsubscribed Address", "unsubscribed"),
        ("Spam Reporting Address", "spam_report"),
        ("UNSUBSCRIBED ADDRESS ", "unsubscribed"),
    ],
)
def test_a_drop_is_read_by_its_reason(reason: str, kind: DeliveryKind) -> None:
    assert drop_kind(reason) == kind
    report = read("dropped", reason=reason or None)
    # It was not delivered, whatever the reason.
    assert report.kind == ("bounced" if kind == "bounced" else "blocked")
    assert report.opt_out == (kind if kind in ("unsubscribed", "spam_report") else None)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        ("5.1.1", "550 5.1.1 no such user", "bounced"),
        ("5.1.10", "", "bounced"),
        ("5.4.1", "550 Recipient address rejected: Access denied", "bounced"),
        ("", "550 no such mailbox", "bounced"),
        ("", "", "bounced"),
        ("5.1.1", "550 5.1.1 the mailbox of the full name jo is unknown", "bounced"),
        ("5.2.2", "", "soft_bounced"),
        (
            "5.2.2",
            "552 5.2.2 The email account that you tried to reach is over quota.",
            "soft_bounced",
        ),
        ("", "552 5.2.2 Over quota", "soft_bounced"),
        ("", "552 5.2.2.", "soft_bounced"),
        ("5.0.0", "552 Mailbox full", "soft_bounced"),
        ("550", "Mailbox is full", "soft_bounced"),
        ("", "user's mailbox is full", "soft_bounced"),
        (
            "",
            "552 1 Requested mail action aborted, mailbox not found, quota exceeded",
            "soft_bounced",
        ),
        ("5.7.0", "552 insufficient storage", "soft_bounced"),
        ("4.2.1", "", "soft_bounced"),
        ("4.4.7", "unable to deliver in time", "soft_bounced"),
        ("", "451 try again", "soft_bounced"),
        ("", "421 4.7.0 from 10.5.1.1", "soft_bounced"),
        ("4.2.2", "5.1.1", "soft_bounced"),
    ],
)
def test_a_bounce_is_hard_unless_the_mailbox_is_full_or_it_is_for_now(
    status: str, reason: str, kind: DeliveryKind
) -> None:
    assert bounce_kind("bounce", status, reason, "") == kind
    fields = {"type": "bounce", "status": status, "reason": reason}
    assert read("bounce", **{name: text for name, text in fields.items() if text}).kind == kind
    assert bounce_kind("blocked", status, reason, "") == "blocked"


@pytest.mark.parametrize(
    ("classification", "kind"),
    [
        *(("Content", "blocked"), ("Reputation", "blocked"), ("Technical", "blocked")),
        ("Frequency or Volume Too High", "blocked"),
        *(("Invalid Address", "bounced"), ("Unclassified", "bounced"), ("", "bounced")),
    ],
)
def test_what_is_not_the_address_s_fault_does_not_count_against_it(
    classification: str, kind: DeliveryKind
) -> None:
    assert bounce_kind("bounce", "5.7.1", "554 5.7.1 refused", classification) == kind


@pytest.mark.parametrize("yes", [True, "true", "True", 1, "1"])
def test_what_a_machine_opened_is_told_apart(yes: object) -> None:
    assert read("open", sg_machine_open=yes).kind == "machine_opened"


@pytest.mark.parametrize("no", [False, "false", None, 0, "", []])
def test_what_a_person_opened_is_opened(no: object) -> None:
    assert read("open", sg_machine_open=no).kind == "opened"
    assert read("open").kind == "opened"


ODD: tuple[object, ...] = ("", "x", "-1", "1.5", None, [], "9" * 30, "²")


@pytest.mark.parametrize(
    ("fields", "attempt"),
    [
        ({"send_attempt": "2", "attempt": "7"}, 2),
        ({"send_attempt": 3}, 3),
        # Emails of 0.1.0.
        ({"attempt": "1"}, 1),
        ({}, None),
        *(({"send_attempt": odd}, None) for odd in ODD),
    ],
)
def test_the_attempt_is_ours_and_not_sendgrid_s(
    fields: dict[str, Any], attempt: int | None
) -> None:
    assert read("delivered", **fields).attempt == attempt


def test_a_resubscription_is_one() -> None:
    assert read("group_resubscribe").kind == "resubscribed"


def test_reasons_are_short_and_without_addresses() -> None:
    report = read("bounce", reason=f"550 <jo@mail.example> unknown {'x' * 5000}")
    assert report.reason
    assert report.reason.startswith("550 <<address>> unknown xxx")
    assert len(report.reason) == 1000


def test_reading_a_long_text_takes_no_longer_than_its_length() -> None:
    for text in ("mailbox " * 100_000, "4." * 400_000, "exceed a " * 90_000, "a@" * 300_000):
        assert read("bounce", reason=text).kind in ("bounced", "soft_bounced")
