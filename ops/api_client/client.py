"""A small client of RealtorOS's REST API."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from chassis.domain.retry import retry_after
from ops.errors import ApiUnavailable, OperatorError

TIMEOUT_SECONDS = 30.0
# How long a write is repeated while the server is unavailable.
RETRY_SECONDS = 60.0
# As long as the gateway may take with the largest file.
IMPORT_SECONDS = 300.0
_PAUSE_SECONDS = 1.0
_UNAVAILABLE = (httpx2.codes.SERVICE_UNAVAILABLE, httpx2.codes.TOO_MANY_REQUESTS)
_PAGE_SIZE = 100


@dataclass(frozen=True)
class Task:
    """A follow-up, as the API has it."""

    id: str
    client_id: str
    followup_type: str
    status: str
    error_message: str


@dataclass(frozen=True)
class Client:
    """The fields of a client that are needed here."""

    id: str
    email: str
    stage: str

    @property
    def is_followed_up(self) -> bool:
        """Whether follow-ups are planned for it, or the plan that it has goes on."""
        return self.stage not in ("closed", "lost")


@dataclass(frozen=True)
class Added:
    """The client was added, or will be: the write is accepted, but not done yet."""


@dataclass(frozen=True)
class Duplicate:
    """There is a client with this email already."""


@dataclass(frozen=True)
class Rejected:
    """The client is invalid: a reason per field (RFC 9457 problem details)."""

    reasons: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ImportOptions:
    """How a file is imported; `mapping`: what columns mean, by title."""

    dry_run: bool = False
    on_known: str = "report"
    charset: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


class ApiClient:
    """Talks to one gateway, with an API key. Every method raises ApiUnavailable.

    Use it as an async context manager.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        host = urlsplit(self.url).hostname
        if urlsplit(self.url).scheme not in ("http", "https") or not host:
            raise OperatorError(f"“{url}” is not a URL: pass one such as http://127.0.0.1:8000")
        self._http = httpx2.AsyncClient(
            base_url=self.url,
            timeout=timeout,
            headers={"Authorization": f"Bearer {key}"} if key else None,
            transport=transport,
            # A proxy from the environment cannot reach servers on this machine.
            trust_env=host not in ("127.0.0.1", "localhost", "::1"),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def add_client(self, body: Mapping[str, Any]) -> Added | Duplicate | Rejected:
        """Add a client; retry for a minute while the API is unreachable or asks to (503, 429)."""
        response = await self._post("/api/clients", json=body)
        if response.is_success:
            return Added()
        if response.status_code == httpx2.codes.CONFLICT:
            return Duplicate()
        if response.status_code in (httpx2.codes.BAD_REQUEST, httpx2.codes.UNPROCESSABLE_CONTENT):
            return Rejected(_reasons(response))
        raise self._failure(response)

    async def import_clients(
        self, name: str, content: bytes, options: ImportOptions
    ) -> Mapping[str, Any]:
        """Import a file, retrying likewise; return the report. Raises OperatorError if refused."""
        response = await self._post(
            "/api/clients/import",
            params={"dry_run": options.dry_run, "on_known": options.on_known},
            files={"file": (name, content, "text/csv")},
            data={"mapping": json.dumps(options.mapping)}
            | ({"charset": options.charset} if options.charset else {}),
            timeout=IMPORT_SECONDS,
        )
        if response.status_code == httpx2.codes.UNPROCESSABLE_CONTENT:
            raise OperatorError("; ".join(f"{field}: {why}" for field, why in _reasons(response)))
        if not response.is_success:
            raise self._failure(response)
        report: Mapping[str, Any] = response.json()
        return report

    async def tasks(self) -> list[Task]:
        """Return all follow-ups."""
        return [
            Task(
                id=_id(item),
                client_id=str(item["client_id"]),
                followup_type=item["followup_type"],
                status=item["status"],
                error_message=item.get("error_message") or "",
            )
            async for item in self._all("/api/tasks")
        ]

    async def clients(self) -> list[Client]:
        """Return all clients."""
        return [
            Client(id=_id(item), email=item["email"], stage=item["stage"])
            async for item in self._all("/api/clients")
        ]

    async def is_admin(self) -> bool:
        """Return whether the key is an admin's."""
        return bool((await self._get("/api/agents/me")).json()["role"] == "admin")

    async def login(self) -> str:
        """Return the address that the key's agent logs in with."""
        return str((await self._get("/api/agents/me")).json()["login"])

    async def retry_failed(self, since: datetime | None, *, of_all: bool) -> Mapping[str, Any]:
        """Retry what has failed since then, of all agents or the key's own; return the outcomes."""
        path = "/api/admin/tasks/retry" if of_all else "/api/tasks/retry"
        body = {"failed_since": since.isoformat()} if since else {}
        response = await self._send("POST", path, json=body)
        if not response.is_success:
            raise self._failure(response)
        outcomes: Mapping[str, Any] = response.json()
        return outcomes

    async def count(self, collection: str, status: str, *, of_office: bool = False) -> int:
        """Count the `tasks` or `emails` with this status: the key's agent's, or all agents'."""
        params = {"status": status, "limit": 1}
        path = f"/api/admin/{collection}" if of_office else f"/api/{collection}"
        response = await self._get(path, params=params)
        return int(response.headers["X-Total-Count"])

    async def readiness(self) -> tuple[bool, str]:
        """Return whether the gateway is ready, and its answer."""
        response = await self._send("GET", "/health/ready")
        return response.is_success, response.text.strip()

    async def _post(self, url: str, **options: Any) -> httpx2.Response:
        # The same key each time, so that a write whose answer was lost is not repeated.
        key = {"Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                response = await self._send("POST", url, headers=key, **options)
            except ApiUnavailable:
                if time.monotonic() + _PAUSE_SECONDS > deadline:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if response.status_code not in _UNAVAILABLE:
                return response
            pause = _pause(response)
            if time.monotonic() + pause > deadline:
                raise ApiUnavailable(
                    f"{self.url} is not accepting clients: {_problem(response)}; try again later"
                )
            await asyncio.sleep(pause)

    async def _all(self, path: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the items of all pages, following the links (RFC 8288)."""
        url: str | None = f"{path}?limit={_PAGE_SIZE}"
        while url:
            response = await self._get(url)
            for item in response.json():
                yield item
            url = response.links.get("next", {}).get("url")

    async def _get(self, url: str, params: Mapping[str, Any] | None = None) -> httpx2.Response:
        response = await self._send("GET", url, params=params)
        if not response.is_success:
            raise self._failure(response)
        return response

    async def _send(self, method: str, url: str, **options: Any) -> httpx2.Response:
        try:
            return await self._http.request(method, url, **options)
        except httpx2.TransportError as error:
            raise ApiUnavailable(
                f"nothing answers at {self.url} ({type(error).__name__}):"
                " is `realtoros up` running?"
            ) from error

    def _failure(self, response: httpx2.Response) -> OperatorError:
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            return OperatorError(f"{self.url} requires an API key: set REALTOROS_API_KEY")
        kind = ApiUnavailable if response.is_server_error else OperatorError
        return kind(f"{self.url} answered {response.status_code}: {_problem(response)}")


def _id(item: Mapping[str, Any]) -> str:
    return str(item["_id"] if "_id" in item else item["id"])


def _pause(response: httpx2.Response) -> float:
    """Return the seconds to wait: at least 0.1, and one when the server does not say."""
    seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
    return _PAUSE_SECONDS if seconds is None else max(0.1, seconds)


def _problem(response: httpx2.Response) -> str:
    try:
        problem = response.json()
        return str(problem.get("detail") or problem.get("title") or response.reason_phrase)
    except (ValueError, AttributeError):
        return response.reason_phrase


def _reasons(response: httpx2.Response) -> tuple[tuple[str, str], ...]:
    try:
        errors = response.json().get("errors") or []
        reasons = tuple((str(error["field"]), str(error["reason"])) for error in errors)
    except (ValueError, AttributeError, LookupError, TypeError):
        reasons = ()
    return reasons or (("", _problem(response)),)
