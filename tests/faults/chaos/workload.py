"""The workload: callers add clients, delete some, and stop emails in every other way.

They record what the API acknowledged.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from tests.faults.checker.history import Acknowledged
from tests.faults.stops import Request, Stops
from tests.system import AUTHORIZED

# How long a caller without an answer retries.
_RETRY_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
# What happens to a client while its plan runs, with the share of clients; to all others, nothing.
_FATES = {"deleted": 0.06, "cancelled": 0.1, "readdressed": 0.06}
# When all sending is paused, as shares of the run; for how long.
_PAUSES = (0.3, 0.6)
_PAUSED_SECONDS = 2.0
# What the agent adds to some letters before they are approved.
_CHANGED = " (changed)"
# After 202 the command is durable, but its reply is lost with the gateway that waits for it.
_COMMAND_SECONDS = 15.0


@dataclass
class Workload:
    """`clients` clients, added one after another within `seconds`; some are stopped later.

    `plan_seconds`: how long a client's follow-ups take. Only a definite answer is an
    acknowledgement.
    """

    seed: int
    clients: int
    seconds: float
    plan_seconds: float
    gateways: Sequence[str] = ()
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    # Answers that no caller should see.
    violations: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Add and stop clients; return when the last caller has an answer or has given up."""
        draw = random.Random(self.seed)
        shares = [*_FATES.values(), 1 - sum(_FATES.values())]
        fates = draw.choices([*_FATES, "left"], shares, k=self.clients)
        waits = [draw.uniform(0, self.plan_seconds) for _ in fates]
        begin = time.monotonic()
        async with _caller() as http, asyncio.TaskGroup() as callers:
            callers.create_task(self._pause(http))
            for number, (fate, wait) in enumerate(zip(fates, waits, strict=True)):
                at = begin + number * self.seconds / self.clients
                await asyncio.sleep(at - time.monotonic())
                callers.create_task(self._client(http, number, fate, wait))

    async def approve(self) -> None:
        """Read what waits for the agent, change some of it, and approve all just as it was read.

        Until cancelled.
        """
        async with _caller() as http:
            while True:
                await self._approve(http)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _approve(self, http: httpx2.AsyncClient) -> None:
        listed = await self._until_answered(http, "GET", "/api/drafts", params={"limit": 100})
        drafts = listed.json() if listed else []
        for draft in drafts[::5]:
            if not str(draft["subject"]).endswith(_CHANGED):
                path = f"/api/tasks/{draft['_id']}/draft"
                change = {"subject": f"{draft['subject']}{_CHANGED}"}
                await self._until_answered(http, "PATCH", path, json=change)
        if read := [{"task_id": one["_id"], "version": one["version"]} for one in drafts]:
            body = {"drafts": read}
            await self._until_answered(http, "POST", "/api/drafts/approve", json=body)

    async def _client(self, http: httpx2.AsyncClient, number: int, fate: str, wait: float) -> None:
        client_id = await self._add(http, number)
        if client_id is None or fate == "left":
            return
        await asyncio.sleep(wait)
        stops = Stops(self.requests(http), self.acknowledged)
        match fate:
            case "deleted":
                await self._delete(http, client_id)
            case "cancelled":
                await self._cancel(http, stops, client_id)
            case "readdressed":
                await stops.readdress(client_id, f"moved{number}.{self.seed}@example.com")

    async def _cancel(self, http: httpx2.AsyncClient, stops: Stops, client_id: str) -> None:
        """Cancel the client's next follow-up that is not sent."""
        unsent: Any = {"client_id": client_id, "status": ["pending", "due", "composed"], "limit": 1}
        listed = await self._until_answered(http, "GET", "/api/tasks", params=unsent)
        for task in listed.json() if listed else []:
            await stops.cancel(task["_id"])

    async def _pause(self, http: httpx2.AsyncClient) -> None:
        """Pause and resume all sending."""
        stops = Stops(self.requests(http), self.acknowledged)
        begin = time.monotonic()
        for share in _PAUSES:
            await asyncio.sleep(begin + share * self.seconds - time.monotonic())
            await stops.pause()
            await asyncio.sleep(_PAUSED_SECONDS)
            if not await stops.resume():
                self.violations.append("all sending could not be resumed")

    def requests(self, http: httpx2.AsyncClient) -> Request:
        """Return the way to send a request, again until it is answered."""

        async def send(
            method: str, path: str, body: Any, headers: dict[str, str] | None
        ) -> httpx2.Response | None:
            return await self._until_answered(http, method, path, json=body, headers=headers)

        return send

    async def _add(self, http: httpx2.AsyncClient, number: int) -> str | None:
        """Add a client, retrying until the API confirms it; return the id."""
        email = f"client{number}.{self.seed}@example.com"
        body = {"name": f"Client {number}", "email": email}
        if number % 2:
            body["review"] = "approve"
        answer = await self._until_answered(http, "POST", "/api/clients", json=body)
        if answer is None:
            return None
        if answer.status_code == 201:
            client_id = str(answer.json()["client_id"])
        elif answer.status_code in (200, 409):
            # Added by an earlier try whose answer was lost or late.
            if (shown := await self._shown(http, email)) is None:
                self.violations.append(f"client {number} is added, but never shown")
                return None
            client_id = shown
        else:
            self.violations.append(f"POST /api/clients: {answer.status_code} {answer.text}")
            return None
        self.acknowledged.clients[client_id] = datetime.now(UTC)
        return client_id

    async def _shown(self, http: httpx2.AsyncClient, email: str) -> str | None:
        """Wait until the client with this address is shown; return its id."""
        deadline = time.monotonic() + _RETRY_SECONDS
        while time.monotonic() < deadline:
            listed = await self._until_answered(http, "GET", "/api/clients", params={"q": email})
            for client in listed.json() if listed else []:
                if client["email"] == email:
                    return str(client["_id"])
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def _delete(self, http: httpx2.AsyncClient, client_id: str) -> None:
        answer = await self._until_answered(http, "DELETE", f"/api/clients/{client_id}")
        if answer is None:
            return
        # 404: deleted by an earlier try whose answer was lost.
        if answer.status_code not in (200, 204, 404):
            self.violations.append(f"DELETE /api/clients/…: {answer.status_code} {answer.text}")
            return
        self.acknowledged.deleted[client_id] = datetime.now(UTC)

    async def _until_answered(
        self, http: httpx2.AsyncClient, method: str, path: str, **parts: Any
    ) -> httpx2.Response | None:
        """Send the request to the gateways in turn; return the first definite answer, None if late.

        After a 202 the answer may be that of the command's status: 200 when it was accepted.
        """
        deadline = time.monotonic() + _RETRY_SECONDS
        for url in itertools.cycle(self.gateways):
            if time.monotonic() > deadline:
                return None
            try:
                answer = await http.request(method, url + path, **parts)
                if answer.status_code == 202 and "Location" in answer.headers:
                    settled = await self._until_settled(http, url + answer.headers["Location"])
                    if settled:
                        return settled
                elif answer.status_code == 500:
                    self.violations.append(f"{method} {path}: {answer.status_code} {answer.text}")
                elif answer.status_code < 500:
                    return answer
            except httpx2.TransportError:
                pass
            await asyncio.sleep(_PAUSE_SECONDS)
        return None

    async def _until_settled(
        self, http: httpx2.AsyncClient, status_url: str
    ) -> httpx2.Response | None:
        deadline = time.monotonic() + _COMMAND_SECONDS
        while time.monotonic() < deadline:
            answer = await http.get(status_url)
            if answer.is_success and answer.json()["status"] == "accepted":
                return answer
            if answer.is_success and answer.json()["status"] == "rejected":
                # Sent again, the request is refused with the reason.
                return None
            await asyncio.sleep(_PAUSE_SECONDS)
        return None


def _caller() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED)
