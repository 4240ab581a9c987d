"""Clients, follow-ups and emails, inserted directly into the gateway's views.

`python -m tests.bench.seeded_views MONGODB_URI AGENT_ID [CLIENTS [TASKS]]` fills a gateway's
database.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from chassis.mongo.client import Database, Raw, apply_indexes, connect
from services.gateway.documents import STORE
from services.gateway.read_models.search import client_terms

DATABASE = "realtoros_gateway"
BATCH = 2_000
PERIOD = timedelta(days=180)
FIVE = (
    *(("Day 1", 1, "high"), ("Day 3", 3, "medium"), ("Week 1", 7, "medium")),
    *(("Week 2", 14, "low"), ("Month 1", 30, "low")),
)


def _each(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# First names are as unevenly distributed as in reality: the first ones are common.
FIRST = _each(
    "Maria James Mary John Jennifer Michael Linda David Anna Robert Sarah William Karen "
    "Richard Nancy Joseph Lisa Thomas Betty Charles Sandra Daniel Ashley Matthew Emily "
    "Anthony Donna Mark Michelle Steven Carol Andrew Amanda Paul Melissa Joshua Deborah "
    "Kevin Zoë Brian José Olga Tariq Yuki Ingrid Xavier Quentin Ursula Vikram Noor"
)
LAST = _each(
    "Smith Johnson Williams Brown Jones García Miller Davis Rodríguez Martínez Hernández "
    "López Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Pérez Thompson White "
    "Harris Clark Ramírez Lewis Robinson Walker Young Allen King Wright Scott Torres "
    "Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter "
    "Roberts Okafor Zhang Quispe Ivanova"
)
STREETS = _each(
    "Elm Oak Maple Cedar Pine Main Church Mill Lake Hill Park Washington Madison Spring"
)
CITIES = _each("Springfield Austin Madison Salem Georgetown Arlington Franklin Clinton Ashland")
HOSTS = ("mail.example.com", "example.com", "example.org", "post.example.net")
STAGES = {"lead": 60, "negotiating": 15, "under_contract": 5, "closed": 12, "lost": 8}
# The statuses of follow-ups that have fallen due.
ENDS = {
    "sent": 860,
    "cancelled": 110,
    "withheld": 15,
    "failed": 10,
    "unknown": 2,
    "due": 1,
    "composed": 2,
}
READ = {"sent": 5, "delivered": 55, "opened": 28, "clicked": 9, "bounced": 3}


async def fill(
    database: Database,
    agent_id: UUID,
    clients: int = 100_000,
    tasks: int = 500_000,
    *,
    now: datetime | None = None,
    seed: int = 7,
) -> None:
    """Insert an agent's clients, and follow-ups with emails, five per client until `tasks`.

    The same arguments give the same documents. The clients were created evenly over half a year
    before `now`; of the follow-ups that have fallen due, most are sent.
    """
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    made = _documents(random.Random(seed), agent_id, clients, tasks, now)
    while batch := list(islice(made, BATCH)):
        for name in ("clients", "tasks", "email_logs"):
            if rows := [row for collection, row in batch if collection == name]:
                await database[name].insert_many(rows, ordered=False)


def _documents(
    rng: random.Random, agent_id: UUID, clients: int, tasks: int, now: datetime
) -> Iterator[tuple[str, Raw]]:
    left = tasks
    for number in range(clients):
        client = _client(rng, agent_id, number)
        client["created_at"] = now - PERIOD * (1 - number / clients)
        client["updated_at"] = client["created_at"]
        planned = [_task(rng, client, *kind, now) for kind in FIVE[:left]]
        left -= len(planned)
        emails = [_email(rng, client, task) for task in planned if task["status"] == "sent"]
        if emails:
            client["last_contacted"] = max(email["sent_at"] for email in emails)
        yield "clients", client
        yield from (("tasks", task) for task in planned)
        yield from (("email_logs", email) for email in emails)


def _client(rng: random.Random, agent_id: UUID, number: int) -> Raw:
    first = FIRST[int(rng.triangular(0, len(FIRST), 0))]
    last = LAST[int(rng.triangular(0, len(LAST), 0))]
    name, email = f"{first} {last}", f"{first}.{last}.{number}@{rng.choice(HOSTS)}".lower()
    address = f"{rng.randrange(1, 2_000)} {rng.choice(STREETS)} Street, {rng.choice(CITIES)}"
    id_, phone = _id(rng), f"+1 555 {rng.randrange(10_000_000):07}"
    return {
        "_id": id_,
        "agent_id": agent_id,
        "search": client_terms(name, email, address, phone),
        "name": name,
        "email": email,
        "phone": phone,
        "property_address": address,
        "property_type": "residential",
        "stage": _one_of(rng, STAGES),
        "notes": "Met at the open house; wants a garden and a short way to the school.",
        "custom_fields": {"source": rng.choice(("Zillow", "referral", "open house"))},
    }


def _task(
    rng: random.Random, client: Raw, kind: str, days: int, priority: str, now: datetime
) -> Raw:
    created: datetime = client["created_at"]
    when = created + timedelta(days=days)
    status = _one_of(rng, ENDS) if when <= now else "pending"
    if client["stage"] in ("closed", "lost") and status == "pending":
        status = "cancelled"
    plan = {"followup_type": kind, "scheduled_for": when, "priority": priority}
    return {
        "_id": _id(rng),
        "agent_id": client["agent_id"],
        "client_id": client["_id"],
        "plan": plan | {"status": "pending", "created_at": created, "at": min(when, now)},
        **plan,
        "status": status,
        "created_at": created,
        "updated_at": min(when, now),
    }


def _email(rng: random.Random, client: Raw, task: Raw) -> Raw:
    sent: datetime = task["scheduled_for"] + timedelta(seconds=rng.randrange(5, 90))
    status = _one_of(rng, READ)
    read = sent + timedelta(minutes=rng.randrange(5, 3_000))
    opened = {"opened_at": read} if status in ("opened", "clicked") else {}
    clicked = {"clicked_at": read} if status == "clicked" else {}
    email_id = _id(rng)
    task["email_sent_id"] = email_id
    task["email"] = {"email_id": email_id, "status": "sent", "at": sent}
    return {
        "_id": email_id,
        "agent_id": client["agent_id"],
        "task_id": task["_id"],
        "client_id": client["_id"],
        "to_email": client["email"],
        "subject": f"{client['name']}, how is your search going?",
        "body": f"Hi {client['name']},\n\nhow is it going with {client['property_address']}?\n",
        "status": status,
        "written_by": "templates",
        "sendgrid_message_id": f"message-{email_id}",
        "sent_at": sent,
        **opened,
        **clicked,
        "created_at": task["scheduled_for"],
    }


def _id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)


def _one_of(rng: random.Random, weights: dict[str, int]) -> str:
    [one] = rng.choices(list(weights), list(weights.values()))
    return one


async def main(uri: str, agent_id: str, *counts: str) -> None:
    """Fill the database of the gateway at the URI."""
    await apply_indexes(uri, DATABASE, STORE.documents)
    sizes: Any = dict(zip(("clients", "tasks"), map(int, counts), strict=False))
    async with connect(uri) as client:
        await fill(client[DATABASE], UUID(agent_id), **sizes)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
