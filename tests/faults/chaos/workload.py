"""The workload: callers add and delete clients, and record what the API acknowledged."""

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
from tests.system import AUTHORIZED

# How long a caller without an answer retries.
_RETRY_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
_DELETED_SHARE = 0.06
# After 202 the command is durable, but its reply is lost with the gateway that waits for it.
_COMMAND_SECONDS = 15.0


@dataclass
class Workload:
    """`clients` clients, added one after another within `seconds`; some are deleted later.

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
        """Add and delete clients; return when the last caller has an answer or has given up."""
        draw = random.Random(self.seed)
        deleted_after = [
            draw.uniform(0, self.plan_seconds) if draw.random() < _DELETED_SHARE else None
            for _ in range(self.clients)
        ]
        begin = time.monotonic()
        async with (
            httpx2.AsyncClient(timeout=10, trust_env=False, headers=AUTHORIZED) as http,
            asyncio.TaskGroup() as callers,
        ):
            for number, after in enumerate(deleted_after):
                at = begin + number * self.seconds / self.clients
                await asyncio.sleep(at - time.monotonic())
                callers.create_task(self._client(http, number, after))

    async def _client(
        self, http: httpx2.AsyncClient, number: int, deleted_after: float | None
    ) -> None:
        client_id = await self._add(http, number)
        if client_id and deleted_after is not None:
            await asyncio.sleep(deleted_after)
            await self._delete(http, client_id)

    async def _add(self, http: httpx2.AsyncClient, number: int) -> str | None:
        """Add a client, retrying until the API confirms it; return the id."""
        email = f"client{number}.{self.seed}@example.com"
        body = {"name": f"Client {number}", "email": email}
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
                if answer.status_code == 202:
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
