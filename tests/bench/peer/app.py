"""The peer's Celery application; it imports nothing of RealtorOS, and runs in .cache/peer.

One task writes and sends one follow-up. It runs at least once: it is acknowledged late, does what
is not stored as done yet, and each status is stored under the condition of the one before.

`python -m tests.bench.peer.app` is what enqueues: it waits for a line, then sends all that is due.
"""

import html
import json
import os
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import openai
import urllib3
from celery import Celery, signals
from pymongo import MongoClient
from pymongo.collection import Collection

DATABASE, CLIENTS, FOLLOWUPS = "bench_peer", "clients", "followups"
TIMEOUT = 30.0
_LETTER: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "Letter",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"subject": {"type": "string"}, "body": {"type": "string"}},
            "required": ["subject", "body"],
            "additionalProperties": False,
        },
    },
}
_FAILURES = (openai.APIConnectionError, openai.InternalServerError, urllib3.exceptions.HTTPError)

app = Celery("peer", broker=os.environ.get("PEER_BROKER"))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    # Four for each slot, Celery's default: with one, slots would wait for Redis.
    worker_prefetch_multiplier=4,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


class Clients(NamedTuple):
    """The clients of one process, each with a pool of connections as large as the worker's."""

    clients: Collection[dict[str, Any]]
    followups: Collection[dict[str, Any]]
    model: openai.OpenAI
    mail: urllib3.PoolManager


@cache
def clients() -> Clients:
    """Return the clients of this process, made at the first call."""
    size = int(os.environ.get("PEER_CONNECTIONS") or 1)
    database: Any = MongoClient(os.environ["PEER_MONGODB"], maxPoolSize=size)[DATABASE]
    pool = httpx2.Client(limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size))
    model = openai.OpenAI(
        api_key="sk-fake", base_url=os.environ["PEER_OPENAI"], timeout=TIMEOUT, http_client=pool
    )
    mail = urllib3.PoolManager(maxsize=size, block=True, timeout=TIMEOUT)
    return Clients(database[CLIENTS], database[FOLLOWUPS], model, mail)


def send_followup(followup_id: str) -> None:
    """Have the letter written unless it is stored already, and send it unless it is sent."""
    known = clients()
    followup = known.followups.find_one({"_id": followup_id, "status": {"$ne": "sent"}})
    if followup is None:
        return
    client = known.clients.find_one({"_id": followup["client_id"]})
    assert client
    letter = followup.get("letter")
    if letter is None:
        letter = _written(known.model, client)
        known.followups.update_one(
            {"_id": followup_id, "status": "due"},
            {"$set": {"status": "composed", "letter": letter, "composed_at": datetime.now(UTC)}},
        )
    message_id = _sent(known.mail, followup_id, client, letter)
    known.followups.update_one(
        {"_id": followup_id, "status": "composed"},
        {"$set": {"status": "sent", "message_id": message_id, "sent_at": datetime.now(UTC)}},
    )


send = app.task(name="send_followup", autoretry_for=_FAILURES, retry_backoff=True, max_retries=5)(
    send_followup
)


def _written(model: openai.OpenAI, client: dict[str, Any]) -> dict[str, str]:
    known = {name: value for name, value in client.items() if name not in ("_id", "email", "phone")}
    data = f"<client_data>\n{json.dumps(known)}\n</client_data>"
    completion = model.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": os.environ["PEER_RULES"]},
            {"role": "user", "content": data},
        ],
        response_format=_LETTER,
    )
    letter: dict[str, str] = json.loads(completion.choices[0].message.content or "")
    return {"subject": letter["subject"], "body": letter["body"]}


def _sent(
    mail: urllib3.PoolManager, followup_id: str, client: dict[str, Any], letter: dict[str, str]
) -> str | None:
    message = {
        "personalizations": [{"to": [{"email": client["email"], "name": client["name"]}]}],
        "from": {"email": "followups@realtoros.example", "name": "Alex Morgan"},
        "reply_to": {"email": "alex@agency.example"},
        "subject": letter["subject"],
        "content": [
            {"type": "text/plain", "value": letter["body"]},
            {"type": "text/html", "value": f"<p>{html.escape(letter['body'])}</p>"},
        ],
        "custom_args": {"followup_id": followup_id},
    }
    response = mail.request(
        "POST",
        f"{os.environ['PEER_SENDGRID']}/v3/mail/send",
        json=message,
        headers={"Authorization": "Bearer SG.fake"},
        retries=False,
    )
    if response.status != 202:
        raise urllib3.exceptions.HTTPError(f"SendGrid answered {response.status}")
    return response.headers.get("X-Message-Id")


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _open_clients(**_: Any) -> None:
    clients().model.chat.completions  # noqa: B018, resources are imported when first used


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _report_ready(**_: Any) -> None:
    Path(os.environ["PEER_READY"]).touch()


def enqueue() -> None:
    """Enqueue every follow-up that is due, when told to by a line."""
    followups = clients().followups
    with app.producer_pool.acquire(block=True) as producer:
        producer.connection.ensure_connection()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for followup in followups.find({"status": "due"}, {"_id": 1}).sort("due_at", 1):
            send.apply_async((followup["_id"],), producer=producer)
    # Its CPU time is read while it lives.
    sys.stdin.read()


if __name__ == "__main__":
    enqueue()
