"""Mutations that break a correct history, each with the anomaly that must be found."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from tests.faults.checker.correct_history import (
    ADDRESS,
    CLIENT,
    EMAIL,
    FIRST,
    FOLLOWUPS,
    NOON,
    SENDING,
    HistoryBuilder,
    wire_time,
)
from tests.faults.checker.mutations import (
    cancelled_when_due,
    confirmed_pause,
    discarded,
    due_while_paused,
    ended,
    held_by_switch,
    notes_unseen,
    overdue,
    pause_unseen,
    paused,
    quarantined,
    readdressed,
    repeated,
    resent_meanwhile,
    resolved,
    resumed,
    retried,
    reviewed,
    second_send,
    sent_later,
    shown_cancelled,
    stopped,
    suppressed,
    swapped,
    unknown,
    unsent,
    waiting,
    with_notes,
    withdrawn,
)
from tests.faults.checker.verdict import Kind

Mutation = Callable[[HistoryBuilder], object]


def _each(*mutations: Mutation) -> Mutation:
    """Return the mutation that makes all of these, in order."""

    def mutate(builder: HistoryBuilder) -> None:
        for mutation in mutations:
            mutation(builder)

    return mutate


def _forgotten(name: str) -> Mutation:
    """Remove a field from mailer's recipient."""
    return lambda builder: builder.store("mailer", "recipients", CLIENT, **{name: None})


ALLOWED: dict[str, Mutation] = {
    "addressed anew": lambda builder: sent_later(builder, "EmailQueued", to="jane@new.example"),
    "another address once started": lambda builder: readdressed(builder, 14),
    "cancelled too late": cancelled_when_due,
    "cancelled in time": withdrawn,
    "approved": lambda builder: reviewed(builder, "DraftApproved"),
    "approved ahead": lambda builder: reviewed(builder, "DraftApproved", fell_due=True),
    "written ahead": lambda builder: reviewed(builder, review="automatic", fell_due=True),
    "discarded": discarded,
    "held by the switch": held_by_switch,
    "paused as it was started": lambda builder: confirmed_pause(builder, 14),
    "postponed": lambda builder: waiting(builder, 61),
    "postponed, then sent": lambda builder: sent_later(builder, "EmailPostponed"),
    "shown as cancelled once sent": lambda builder: shown_cancelled(builder, 14.6),
    "sent before its pause": lambda builder: stopped(builder, 15),
    "sent after its pause": lambda builder: stopped(builder, 11, 14),
    "sent after its confirmed pause": lambda builder: confirmed_pause(builder, 11, 14.4),
    "ordered resend": lambda builder: second_send(builder, ordered=True),
    "notes": with_notes,
    "opt-out after it": lambda builder: suppressed(builder, 15),
    "paused": paused,
    "repeat": repeated,
    "resolved by a person": resolved,
    "resumed": resumed,
    "retried": retried,
}

BROKEN: list[tuple[Kind, str, Mutation]] = [
    ("lost", "201", lambda builder: builder.history.acknowledged.clients.update({"c": NOON})),
    ("lost", "204", lambda builder: builder.history.acknowledged.deleted.update({"c": NOON})),
    (
        "lost",
        "no AddressS",
        lambda builder: builder.history.acknowledged.opt_outs.update({"a": NOON}),
    ),
    (
        "lost",
        "no FollowupCancelled",
        lambda builder: builder.history.acknowledged.cancelled.update({"f": NOON}),
    ),
    (
        "lost",
        "no SendingPaused",
        lambda builder: builder.history.acknowledged.pauses.update({NOON: NOON}),
    ),
    (
        "lost",
        "no DraftDiscarded",
        _each(unsent, lambda builder: builder.remove("EmailComposed"), cancelled_when_due),
    ),
    ("lost", "no ClientCreated", lambda builder: builder.remove("ClientCreated")),
    (
        "lost",
        "no FollowupsPlanned after clients-3-0",
        lambda builder: builder.remove("FollowupsPlanned"),
    ),
    ("lost", "no end of the draft", lambda builder: builder.remove("EmailComposed")),
    (
        "lost",
        "no EmailQueued",
        lambda builder: builder.remove("EmailQueued", "SendStarted", "EmailSent"),
    ),
    (
        "lost",
        "no DraftRequested",
        lambda builder: builder.remove("DraftRequested", "EmailComposed"),
    ),
    ("lost", "did not accept attempt 1", lambda builder: builder.history.ledger.clear()),
    ("lost", "EmailSent, is in mailer's log", lambda builder: builder.remove_records("EmailSent")),
    ("lost", "in mailer.quarantine: no such type", quarantined),
    ("duplicate", "accepted twice", lambda builder: second_send(builder, ordered=False)),
    ("duplicate", "accepted twice", lambda builder: builder.accept(14.6)),
    (
        "duplicate",
        "2 FollowupDue",
        lambda builder: builder.append(
            "followups",
            f"plan-{CLIENT}",
            "FollowupDue",
            followup_id=FIRST,
            scheduled_for=wire_time(10),
            due_at=wire_time(11),
        ),
    ),
    (
        "duplicate",
        "2 FollowupsPlanned",
        lambda builder: builder.append(
            "followups", f"plan-{CLIENT}", "FollowupsPlanned", planned_at=wire_time(1), followups=[]
        ),
    ),
    (
        "duplicate",
        "2 SendStarted",
        lambda builder: builder.email_event(
            "SendStarted", attempt=1, started_at=wire_time(50), give_up_at=wire_time(60)
        ),
    ),
    ("duplicate", "had begun", resent_meanwhile),
    (
        "early",
        "scheduled for 2026-01-31 12:00:10",
        lambda builder: builder.history.ledger[0].update(at=wire_time(9.9)),
    ),
    (
        "early",
        "is due at 2026-01-31T12:00:09",
        lambda builder: builder.change_data("FollowupDue", due_at=wire_time(9)),
    ),
    ("early", "while it is paused", due_while_paused),
    (
        "early",
        "started only at",
        lambda builder: builder.change_data("SendStarted", started_at=wire_time(14.6)),
    ),
    ("early", "before SendStarted was appended", lambda builder: builder.remove("SendStarted")),
    ("early", "without a FollowupDue", lambda builder: builder.remove("FollowupDue")),
    (
        "after-opt-out",
        "acknowledged at",
        lambda builder: builder.history.acknowledged.opt_outs.update({ADDRESS: NOON}),
    ),
    ("after-opt-out", "confirmed at", lambda builder: suppressed(builder, 14)),
    (
        "after-opt-out",
        "withheld at",
        lambda builder: ended(
            builder, "EmailWithheld", "withheld", reason="client_deleted", withheld_at=wire_time(14)
        ),
    ),
    *(
        ("unwanted", detail, lambda builder, mutate=mutate: mutate(builder))
        for detail, mutate in (
            ("but withdrawn at", lambda builder: withdrawn(builder, called=True)),
            (
                "but queued at",
                lambda builder: sent_later(builder, "EmailQueued", called=True),
            ),
            (
                "but postponed at",
                lambda builder: sent_later(builder, "EmailPostponed", called=True),
            ),
            (
                "not to the address in emails-3-2",
                _each(
                    lambda builder: sent_later(builder, "EmailQueued", to="jane@new.example"),
                    lambda builder: builder.history.ledger[0].update(to=[ADDRESS]),
                ),
            ),
            ("had another address at", lambda builder: readdressed(builder, 13.9)),
            ("all sending had stopped", lambda builder: stopped(builder, 14.4, 14.6)),
            ("all sending had stopped", lambda builder: stopped(builder, 14.4)),
            ("started after all", lambda builder: confirmed_pause(builder, 13.9, 14.6)),
            ("started after all", lambda builder: confirmed_pause(builder, 13.9)),
            ("EmailComposed drafts-3-2 without approval", reviewed),
            (
                "without approval",
                lambda builder: reviewed(builder, "DraftApproved", "DraftRevised", body="Other."),
            ),
            ("without approval", lambda builder: reviewed(builder, fell_due=True)),
            (
                "with another text",
                lambda builder: reviewed(builder, "DraftRevised", "DraftApproved"),
            ),
            (
                "has another text",
                lambda builder: reviewed(builder, "DraftRevised", "DraftApproved", body="Other."),
            ),
            ("has another text", lambda builder: builder.history.ledger[0].update(subject="?")),
            ("shown as cancelled at", lambda builder: shown_cancelled(builder, 14.4)),
        )
    ),
    ("stale state", "given up while the call", lambda builder: unknown(builder, 14.2)),
    ("stale state", "published out of order", swapped),
    ("stale state", "fork: version 3", lambda builder: repeated(builder, raw=b"{}")),
    ("stale state", "two partitions", lambda builder: repeated(builder, partition=4)),
    ("stale state", "are missing before", lambda builder: builder.remove_records("EmailQueued")),
    ("stale state", "in no log", lambda builder: builder.history.stored["crm"]["commits"].clear()),
    (
        "stale state",
        "differs from",
        lambda builder: builder.change_record(
            "EmailSent", lambda record: replace(record, raw=b"{}")
        ),
    ),
    (
        "stale state",
        "mailer.emails has version 2",
        lambda builder: builder.document("mailer", "emails", EMAIL).update(version=2),
    ),
    (
        "stale state",
        "not in composer.drafts",
        lambda builder: builder.history.stored["composer"]["drafts"].clear(),
    ),
    *(
        (
            "stale state",
            f"{service}.{collection} says",
            lambda builder, at=(service, collection, id_): builder.document(*at)["state"].update(
                status="?", stage="?", followups=[]
            ),
        )
        for service, collection, id_ in (
            ("mailer", "emails", EMAIL),
            ("composer", "drafts", FIRST),
            ("crm", "clients", CLIENT),
            ("scheduler", "plans", CLIENT),
        )
    ),
    *(
        (
            "stale state",
            f"{service}.{collection} says",
            lambda builder, at=(service, collection, id_): builder.document(*at).update(
                status="?", stage="?"
            ),
        )
        for service, collection, id_ in (
            ("gateway", "tasks", FIRST),
            ("scheduler", "clients", CLIENT),
            ("gateway", "email_logs", EMAIL),
            ("gateway", "clients", CLIENT),
        )
    ),
    *(
        ("stale state", detail, lambda builder, at=at, break_=break_: break_(builder, *at))
        for detail, break_, at in (
            ("says plan_paused is None", pause_unseen, ("gateway", "clients")),
            ("scheduler.plans says", pause_unseen, ("scheduler", "plans")),
            ("says notes is None", notes_unseen, ("gateway", "tasks")),
            ("scheduler.plans says", notes_unseen, ("scheduler", "plans")),
        )
    ),
    (
        "stale state",
        "not in scheduler.agents",
        lambda builder: builder.history.stored["scheduler"]["agents"].clear(),
    ),
    *(
        (
            "stale state",
            f"has another {name}",
            _each(cancelled_when_due, _forgotten(name)),
        )
        for name in ("name", "email", "cancelled")
    ),
    (
        "stale state",
        "mailer.recipients: not in the view",
        lambda builder: builder.history.stored["mailer"]["recipients"].clear(),
    ),
    (
        "stale state",
        "mailer.switches says",
        _each(
            lambda builder: stopped(builder, 16),
            lambda builder: builder.store(
                "mailer", "switches", SENDING, state={"status": "active"}
            ),
        ),
    ),
    (
        "stale state",
        "gateway.tasks says status is sent",
        _each(
            withdrawn,
            lambda builder: builder.store("gateway", "tasks", FIRST, status="sent"),
        ),
    ),
    (
        "stale state",
        "EmailComposed drafts-3-2 after DraftDiscarded drafts-3-1",
        _each(
            discarded,
            lambda builder: builder.compose(13),
        ),
    ),
    (
        "stale state",
        "DueFollowupCancelled followups-3-7 after DueFollowupCancelled",
        _each(cancelled_when_due, cancelled_when_due),
    ),
    (
        "stale state",
        "but in no topic",
        lambda builder: builder.history.stored["mailer"].update(
            deleted_clients=[{"_id": uuid.UUID(CLIENT)}]
        ),
    ),
    (
        "stale state",
        "gateway's view is at version 0",
        lambda builder: builder.history.stored["gateway"]["positions"].clear(),
    ),
    (
        "stale state",
        "do not count from created_at",
        lambda builder: builder.change_data("ClientCreated", created_at=wire_time(0.01)),
    ),
    (
        "stale state",
        "after FollowupCancelled",
        lambda builder: builder.append(
            "followups",
            f"plan-{CLIENT}",
            "FollowupDue",
            followup_id=FOLLOWUPS[1],
            scheduled_for=wire_time(30),
            due_at=wire_time(31),
        ),
    ),
    (
        "stuck",
        "has not ended: last SendStarted at emails-3-1",
        lambda builder: builder.remove("EmailSent"),
    ),
    ("stuck", "has not ended: last EmailPostponed", lambda builder: waiting(builder, 59)),
    (
        "stuck",
        "has not ended: last EmailQueued",
        _each(held_by_switch, lambda builder: stopped(builder, 13, 14)),
    ),
    ("stuck", "mailer.emails has been due since", overdue),
    ("stuck", "unpublished", lambda builder: builder.commit("EmailSent").update(published=False)),
]
