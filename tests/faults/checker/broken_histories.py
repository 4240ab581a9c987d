"""Ways to break a correct history, with the anomaly that each has to be found as."""

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
    Life,
    text,
)
from tests.faults.checker.mutations import (
    due_while_paused,
    ended,
    noted,
    notes_unseen,
    overdue,
    pause_unseen,
    paused,
    quarantined,
    repeated,
    resent_meanwhile,
    resolved,
    resumed,
    retried,
    second_send,
    suppressed,
    swapped,
    unknown,
)
from tests.faults.checker.verdict import Kind

Break = Callable[[Life], object]

ALLOWED: dict[str, Break] = {
    "ordered resend": lambda life: second_send(life, ordered=True),
    "noted": noted,
    "opt-out after it": lambda life: suppressed(life, 15),
    "paused": paused,
    "repeat": repeated,
    "resolved by a person": resolved,
    "resumed": resumed,
    "retried": retried,
}

BROKEN: list[tuple[Kind, str, Break]] = [
    ("lost", "201", lambda life: life.history.acknowledged.clients.update({"c": NOON})),
    ("lost", "204", lambda life: life.history.acknowledged.deleted.update({"c": NOON})),
    ("lost", "no AddressS", lambda life: life.history.acknowledged.opt_outs.update({"a": NOON})),
    ("lost", "no ClientCreated", lambda life: life.forget("ClientCreated")),
    ("lost", "no FollowupsPlanned after clients-3-0", lambda life: life.forget("FollowupsPlanned")),
    ("lost", "no end of the draft", lambda life: life.forget("EmailComposed")),
    (
        "lost",
        "no EmailQueued",
        lambda life: life.forget("EmailQueued", "SendStarted", "EmailSent"),
    ),
    (
        "lost",
        "no DraftRequested",
        lambda life: life.forget("DraftRequested", "EmailComposed"),
    ),
    ("lost", "did not accept attempt 1", lambda life: life.history.ledger.clear()),
    ("lost", "EmailSent, is in mailer's log", lambda life: life.drop("EmailSent")),
    ("lost", "in mailer.quarantine: no such type", quarantined),
    ("duplicate", "accepted twice", lambda life: second_send(life, ordered=False)),
    ("duplicate", "accepted twice", lambda life: life.call(14.6)),
    (
        "duplicate",
        "2 FollowupDue",
        lambda life: life.tell(
            "followups",
            f"plan-{CLIENT}",
            "FollowupDue",
            followup_id=FIRST,
            scheduled_for=text(10),
            due_at=text(11),
        ),
    ),
    (
        "duplicate",
        "2 FollowupsPlanned",
        lambda life: life.tell(
            "followups", f"plan-{CLIENT}", "FollowupsPlanned", planned_at=text(1), followups=[]
        ),
    ),
    (
        "duplicate",
        "2 SendStarted",
        lambda life: life.email("SendStarted", attempt=1, started_at=text(50), give_up_at=text(60)),
    ),
    ("duplicate", "had begun", resent_meanwhile),
    (
        "early",
        "scheduled for 2026-01-31 12:00:10",
        lambda life: life.history.ledger[0].update(at=text(9.9)),
    ),
    (
        "early",
        "is due at 2026-01-31T12:00:09",
        lambda life: life.change("FollowupDue", due_at=text(9)),
    ),
    ("early", "while it is paused", due_while_paused),
    ("early", "started only at", lambda life: life.change("SendStarted", started_at=text(14.6))),
    ("early", "before SendStarted was appended", lambda life: life.forget("SendStarted")),
    ("early", "without a FollowupDue", lambda life: life.forget("FollowupDue")),
    (
        "after-opt-out",
        "acknowledged at",
        lambda life: life.history.acknowledged.opt_outs.update({ADDRESS: NOON}),
    ),
    ("after-opt-out", "confirmed at", lambda life: suppressed(life, 14)),
    (
        "after-opt-out",
        "withheld at",
        lambda life: ended(
            life, "EmailWithheld", "withheld", reason="client_deleted", withheld_at=text(14)
        ),
    ),
    ("stale state", "given up while the call", lambda life: unknown(life, 14.2)),
    ("stale state", "published out of order", swapped),
    ("stale state", "fork: version 3", lambda life: repeated(life, raw=b"{}")),
    ("stale state", "two partitions", lambda life: repeated(life, partition=4)),
    ("stale state", "are missing before", lambda life: life.drop("EmailQueued")),
    ("stale state", "in no log", lambda life: life.history.stored["crm"]["commits"].clear()),
    (
        "stale state",
        "differs from",
        lambda life: life.alter("EmailSent", lambda record: replace(record, raw=b"{}")),
    ),
    (
        "stale state",
        "mailer.emails has version 2",
        lambda life: life.document("mailer", "emails", EMAIL).update(version=2),
    ),
    (
        "stale state",
        "not in composer.drafts",
        lambda life: life.history.stored["composer"]["drafts"].clear(),
    ),
    *(
        (
            "stale state",
            f"{service}.{collection} says",
            lambda life, at=(service, collection, id_): life.document(*at)["state"].update(
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
            lambda life, at=(service, collection, id_): life.document(*at).update(
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
        ("stale state", detail, lambda life, at=at, break_=break_: break_(life, *at))
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
        lambda life: life.history.stored["scheduler"]["agents"].clear(),
    ),
    (
        "stale state",
        "no topic tells",
        lambda life: life.history.stored["mailer"].update(
            deleted_clients=[{"_id": uuid.UUID(CLIENT)}]
        ),
    ),
    (
        "stale state",
        "gateway's view is at version 0",
        lambda life: life.history.stored["gateway"]["positions"].clear(),
    ),
    (
        "stale state",
        "do not count from created_at",
        lambda life: life.change("ClientCreated", created_at=text(0.01)),
    ),
    (
        "stale state",
        "after FollowupCancelled",
        lambda life: life.tell(
            "followups",
            f"plan-{CLIENT}",
            "FollowupDue",
            followup_id=FOLLOWUPS[1],
            scheduled_for=text(30),
            due_at=text(31),
        ),
    ),
    (
        "stuck",
        "has not ended: last SendStarted at emails-3-1",
        lambda life: life.forget("EmailSent"),
    ),
    ("stuck", "mailer.emails has been due since", overdue),
    ("stuck", "unpublished", lambda life: life.commit("EmailSent").update(published=False)),
]
