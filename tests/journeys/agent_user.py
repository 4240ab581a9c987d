"""An agent's use of the REST API: adding leads, reading follow-ups and emails."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx2

from ops.api_client.client import ApiClient
from ops.api_client.lead_import import import_leads, read_leads
from ops.demo.demo import SAMPLE
from tests.system import AUTHORIZED, KEY
from tests.writes import carried_out

LEADS = read_leads(SAMPLE).leads
FOLLOWUPS = 5 * len(LEADS)
# The final statuses of a follow-up.
FINAL_STATUSES = {"sent", "failed", "cancelled", "withheld", "unknown"}
DAYS = {"Day 1": 1, "Day 3": 3, "Week 1": 7, "Week 2": 14, "Month 1": 30}

Row = dict[str, Any]


class Agent:
    """An agent who uses one gateway."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def rows(self, path: str, **params: str) -> list[Row]:
        """Read all pages of a list, from link to link."""
        found: list[Row] = []
        response = await self.http.get(path, params={"limit": "100", **params})
        while True:
            assert response.status_code == 200, response.text
            found += response.json()
            if "next" not in response.links:
                return found
            response = await self.http.get(response.links["next"]["url"])

    async def add(self, name: str, email: str | None = None) -> str:
        """Add a client with this address, else one with the name in it; return the id."""
        body = {"name": name, "email": email or f"{name.lower()}@example.com"}
        response = await carried_out(self.http, "/api/clients", body)
        assert response.status_code == 201, response.text
        return str(response.json()["client_id"])

    async def task(self, client_id: str, status: str, followup_type: str = "Day 1") -> Row:
        """Return the client's follow-up of this type once it has this status."""
        found: list[Row] = []

        async def has_status() -> bool:
            rows = await self.rows("/api/tasks", client_id=client_id, status=status)
            found[:] = [row for row in rows if row["followup_type"] == followup_type]
            return bool(found)

        await until(has_status, f"{followup_type} is {status}")
        return found[0]

    async def email(self, email_id: str) -> Row:
        """Return an email with its text, which lists leave out."""
        response = await self.http.get(f"/api/emails/{email_id}")
        assert response.status_code == 200, response.text
        row: Row = response.json()
        return row

    async def post(self, path: str, body: Row | None = None) -> httpx2.Response:
        """Post a JSON body."""
        return await self.http.post(path, json=body)

    async def statuses(self, **params: str) -> Counter[str]:
        """Count the follow-ups by status."""
        return Counter(task["status"] for task in await self.rows("/api/tasks", **params))

    async def until_sent(self, count: int, *, seconds: float = 75.0, **params: str) -> None:
        """Wait until at least `count` follow-ups are sent."""

        async def enough() -> bool:
            return (await self.statuses(**params))["sent"] >= count

        await until(enough, f"{count} follow-ups are sent", seconds=seconds)

    async def until_all_ended(self, count: int = FOLLOWUPS) -> list[Row]:
        """Wait until `count` follow-ups have final statuses; return them."""
        counts: Counter[str] = Counter()

        async def all_final() -> bool:
            counts.clear()
            counts.update(await self.statuses())
            return counts.total() == count and counts.keys() <= FINAL_STATUSES

        await until(all_final, "every follow-up has a final status", counts)
        return await self.rows("/api/tasks")


@asynccontextmanager
async def agent_at(url: str) -> AsyncIterator[Agent]:
    """Yield an agent who uses this gateway, once it knows the agent's profile."""
    async with httpx2.AsyncClient(
        base_url=url, timeout=30, trust_env=False, headers=AUTHORIZED
    ) as http:

        async def is_known() -> bool:
            return (await http.get("/api/agents/me")).is_success

        await until(is_known, "the agent's profile")
        yield Agent(http)


async def import_samples(*urls: str) -> None:
    """Import the sample leads, spread over the gateways; assert that all were added."""
    for number, url in enumerate(urls):
        leads = LEADS[number :: len(urls)]
        async with ApiClient(url, KEY) as api:
            imported = await import_leads(api, leads)
        assert imported.summary() == f"{len(leads)} imported"


async def until(
    condition: Callable[[], Awaitable[bool]],
    what: str,
    details: object = "",
    *,
    seconds: float = 75.0,
) -> None:
    """Wait until the condition holds; fail after so many seconds, with the details."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what} {details}"
        await asyncio.sleep(0.2)


def followups_in(ledger: Iterable[Row]) -> Counter[str]:
    """Count the emails that SendGrid accepted, by follow-up."""
    return Counter(entry["custom_args"]["followup_id"] for entry in ledger)


def parse_time(text: str) -> datetime:
    """Parse a time of the API or of a ledger (RFC 3339)."""
    return datetime.fromisoformat(text)
