"""Opting out at a steady rate, and SendGrid's reports as fast as one gateway takes them."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4

import httpx2
from rich.console import Console
from rich.table import Table

from chassis.mongo.client import connect
from contracts.links.opt_out import OptOut, OptOutTokens
from contracts.mailer import email_id
from tests import servers
from tests.bench import cpu
from tests.bench.results import InvalidRun
from tests.bench.seeded_views import DATABASE
from tests.providers.webhook import PATH, Webhook
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, UNSUBSCRIBE_KEYS, system, topic_prefix

RATE, TARGET_P99_MS = 50, 1_000
BATCHES, BATCH, POSTS_AT_ONCE, TARGET_EVENTS = 60, 1_000, 4, 5_000
_PAGE, _PLANNED, _LOOK_SECONDS = 100, 5, 0.5
_KINDS = ("delivered", "open", "click")
Signed = tuple[bytes, dict[str, str]]


async def optout(console: Console, folder: Path) -> None:
    """Opt out for SECONDS (20), then post BATCHES signed batches; print times and rates.

    Raises InvalidRun when a request is not answered as it has to be.
    """
    seconds = int(os.environ.get("SECONDS") or 20)
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        topic_prefix(kafka) as prefix,
    ):
        console.print(
            f"{kafka.name}, {mongodb.name}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        async with system(folder / "services", kafka, mongodb, prefix=prefix) as running:
            took, accepted = await _opt_outs(running.api[0], RATE * seconds)
        _show_times(console, took, accepted)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("webhook, one gateway", "events/s", "of gateway's CPU", "p99 of a post, ms"):
            table.add_column(name, justify="left" if name.startswith("webhook") else "right")
        webhook = Webhook()
        settings = {"SENDGRID_WEBHOOK_PUBLIC_KEY": webhook.public_key}
        async with system(
            folder / "gateway",
            kafka,
            mongodb,
            prefix=prefix,
            services=("gateway",),
            environment=settings,
        ) as running:
            for title, batches in (
                ("with custom arguments", _with_ids()),
                ("by message id", await _by_message_id(mongodb)),
            ):
                signed = [webhook.request(batch) for batch in batches]
                table.add_row(title, *await _post_all(running.api[0], signed))
    console.print(table)


async def _opt_outs(url: str, count: int) -> tuple[list[float], int]:
    """Opt out `count` clients, RATE a second.

    Return the milliseconds of each, from when it was to be sent, and how many were answered 202.
    """
    paths = [_link(client) for client in await _clients(url, count)]
    accepted = 0

    async def opt_out(http: httpx2.AsyncClient, path: str, at: float) -> float:
        nonlocal accepted
        await asyncio.sleep(at - time.perf_counter())
        answer = await http.post(path, data={"List-Unsubscribe": "One-Click"})
        if answer.status_code not in (200, 202):
            raise InvalidRun(f"opt-out: {answer.status_code} {answer.text[:500]}")
        accepted += answer.status_code == httpx2.codes.ACCEPTED
        return (time.perf_counter() - at) * 1000

    async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        start = time.perf_counter() + 1
        each = (opt_out(http, path, start + n / RATE) for n, path in enumerate(paths))
        return await asyncio.gather(*each), accepted


async def _clients(url: str, count: int) -> list[dict[str, Any]]:
    """Import clients; return them, as the API shows them, once all are planned."""
    file = "\n".join(
        ("name,email", *(f"Robin {n},robin.{n}@mail.example.com" for n in range(count)))
    )
    headers = AUTHORIZED | {"Content-Type": "text/csv"}
    async with httpx2.AsyncClient(
        base_url=url, timeout=600, trust_env=False, headers=headers
    ) as http:
        report = (await http.post("/api/clients/import", content=file)).json()
        if report["imported"] != count:
            raise InvalidRun(f"import: {report}")
        while int((await http.get("/api/tasks")).headers["x-total-count"]) < _PLANNED * count:
            await asyncio.sleep(_LOOK_SECONDS)
        found: list[dict[str, Any]] = []
        for page in range(1, count // _PAGE + 2):
            found += (await http.get(f"/api/clients?limit={_PAGE}&page={page}")).json()
        return found


def _link(client: dict[str, Any]) -> str:
    """Return the path of an opt-out link in a letter to the client."""
    followup = uuid4()
    claims = OptOut(
        UUID(client["agent_id"]),
        UUID(client["_id"]),
        followup,
        email_id(followup),
        client["email"],
    )
    keys = dict([UNSUBSCRIBE_KEYS.split(":")])
    return f"/u/{OptOutTokens(keys, 'opt_out').seal(claims)}"


def _event(**fields: Any) -> dict[str, Any]:
    """Return an event as SendGrid sends it, of an email to one of many clients."""
    number = uuid4().int
    return {
        "sg_event_id": uuid4().hex,
        "event": _KINDS[number % len(_KINDS)],
        "timestamp": int(time.time()),
        "email": f"robin.{number % 10_000}@mail.example.com",
        "ip": "203.0.113.7",
        "useragent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36",
        "sg_machine_open": False,
    } | fields


def _with_ids() -> list[list[dict[str, Any]]]:
    def event() -> dict[str, Any]:
        followup = uuid4()
        mail = {"followup_id": str(followup), "email_id": str(email_id(followup))}
        return _event(agent_id=str(AGENT), client_id=str(uuid4()), send_attempt="1", **mail)

    return [[event() for _ in range(BATCH)] for _ in range(BATCHES)]


async def _by_message_id(mongodb: Server) -> list[list[dict[str, Any]]]:
    """Store the emails in the gateway's view, and return events that name them as SendGrid does."""
    names = [uuid4().hex[:22] for _ in range(BATCHES * BATCH)]
    rows = [
        {"_id": uuid4(), "agent_id": AGENT, "client_id": uuid4(), "task_id": uuid4()}
        | {"to_email": "robin@mail.example.com", "sendgrid_message_id": name, "status": "sent"}
        for name in names
    ]
    async with connect(mongodb.address) as client:
        await client[DATABASE]["email_logs"].insert_many(rows)
    events = [_event(sg_message_id=f"{name}.recvd-5745fdb788-l8l9x-1-5F8B-1B.0") for name in names]
    return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]


async def _post_all(url: str, signed: Sequence[Signed]) -> tuple[str, str, str]:
    """Post the batches, some at a time; return what the table shows."""
    queue, took = iter(signed), []

    async def work(http: httpx2.AsyncClient) -> None:
        for body, headers in queue:
            start = time.perf_counter()
            answer = await http.post(PATH, content=body, headers=headers)
            took.append((time.perf_counter() - start) * 1000)
            if answer.status_code != httpx2.codes.OK:
                raise InvalidRun(f"webhook: {answer.status_code} {answer.text[:500]}")

    async with httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        before, start = cpu.seconds(), time.perf_counter()
        await asyncio.gather(*(work(http) for _ in range(POSTS_AT_ONCE)))
        seconds = time.perf_counter() - start
    used = cpu.between(before, cpu.seconds())["gateway"]
    return (
        f"{len(signed) * BATCH / seconds:.0f}",
        f"{used / seconds:.0%}",
        f"{quantiles(took, n=100, method='inclusive')[98]:.0f}",
    )


def _show_times(console: Console, took: list[float], accepted: int) -> None:
    percentiles = quantiles(took, n=100, method="inclusive")
    console.print(
        f"{len(took)} opt-outs, {RATE}/s: p50 {percentiles[49]:.0f} ms,"
        f" p95 {percentiles[94]:.0f} ms, p99 {percentiles[98]:.0f} ms, longest {max(took):.0f} ms;"
        f" {accepted} answered 202"
    )
    if percentiles[98] > TARGET_P99_MS:
        console.print(f"MISSED: the target is a p99 of {TARGET_P99_MS} ms")
