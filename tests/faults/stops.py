"""What stops emails, as clients, agents and admins do it by the API; records what it confirmed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2

from contracts.addresses import canonical_address
from contracts.links.opt_out import OptOut, OptOutTokens
from tests.faults.checker.history import Acknowledged
from tests.system import AGENT, PUBLIC_URL, UNSUBSCRIBE_KEYS, logged_in

# Method, path, body, headers; None when there was no definite answer.
Request = Callable[[str, str, Any, dict[str, str] | None], Awaitable[httpx2.Response | None]]
_TOKENS = OptOutTokens(dict([UNSUBSCRIBE_KEYS.split(":")]))
_CLAIMED = ("agent_id", "client_id", "followup_id", "email_id")


class Stops:
    """Stops emails, by requests to the API. `acknowledged` is what it confirmed."""

    def __init__(self, request: Request, acknowledged: Acknowledged) -> None:
        self._request = request
        self._acknowledged = acknowledged

    async def opt_out(self, entry: Mapping[str, Any]) -> None:
        """Opt out by the link of an email in the provider's ledger."""
        args, address = entry["custom_args"], entry["to"][0]
        agent, client, followup, email = (UUID(args[name]) for name in _CLAIMED)
        token = _TOKENS.seal(OptOut(agent, client, followup, email, address))
        answer = await self._request("POST", f"/u/{token}", None, None)
        if answer and answer.status_code == 200:
            self._acknowledged.opt_outs[canonical_address(address)] = datetime.now(UTC)

    async def cancel(self, followup_id: str) -> None:
        """Cancel a follow-up."""
        path = f"/api/tasks/{followup_id}/cancel"
        answer = await self._request("POST", path, None, _once())
        if answer and answer.status_code == 200 and answer.json()["status"] == "cancelled":
            self._acknowledged.cancelled[followup_id] = datetime.now(UTC)

    async def readdress(self, client_id: str, email: str) -> None:
        """Give a client another address."""
        await self._request("PATCH", f"/api/clients/{client_id}", {"email": email}, None)

    async def pause(self) -> bool:
        """Pause all sending; return whether that was confirmed."""
        answer = await self._switch("/pause")
        confirmed = bool(answer and answer.status_code == 200)
        if confirmed:
            self._acknowledged.pauses[datetime.now(UTC)] = None
        return confirmed

    async def resume(self) -> bool:
        """Resume all sending; return whether it goes on for certain, at once or soon (202)."""
        now, pauses = datetime.now(UTC), self._acknowledged.pauses
        pauses |= {at: until or now for at, until in pauses.items()}
        answer = await self._switch("/resume")
        return bool(answer and answer.status_code in (200, 202, 409))

    async def sending(self) -> str | None:
        """Return what the API shows of the switch: active, pausing or paused."""
        answer = await self._switch("", "GET")
        return answer.json()["state"] if answer and answer.is_success else None

    async def _switch(self, path: str, method: str = "POST") -> httpx2.Response | None:
        headers = logged_in(AGENT, PUBLIC_URL)
        if method == "POST":
            headers |= _once()
        return await self._request(method, f"/api/admin/sending{path}", None, headers)


def _once() -> dict[str, str]:
    """Return the header with which a request that is repeated is carried out once."""
    return {"Idempotency-Key": str(uuid4())}
