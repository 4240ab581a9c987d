"""Waiting until every service says that it is ready."""

import asyncio
import time
from collections.abc import Mapping

import httpx2

from ops.errors import OperatorError
from ops.local.supervised_process import SupervisedProcess

READY_SECONDS = 120.0
# A service that exits this often before all are ready will not recover by itself.
MAX_EXITS = 3
_POLL_SECONDS = 0.25
_NO_ANSWER = "it does not answer"


async def wait_until_ready(
    urls: Mapping[SupervisedProcess, str], seconds: float = READY_SECONDS
) -> None:
    """Return once `/health/ready` of every child says so.

    Raises OperatorError when a service keeps exiting, or when the time is over.
    """
    deadline = time.monotonic() + seconds
    waiting = dict.fromkeys(urls, _NO_ANSWER)
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        while waiting:
            for child in list(waiting):
                why = await _unready_reason(http, urls[child])
                if why is None:
                    del waiting[child]
                elif child.exits >= MAX_EXITS:
                    raise OperatorError(f"{child.name} does not start: it {child.last_exit}")
                else:
                    waiting[child] = why
            if waiting and time.monotonic() > deadline:
                unready = "; ".join(f"{child.name}: {why}" for child, why in waiting.items())
                raise OperatorError(f"not ready after {seconds:.0f} s: {unready}")
            await asyncio.sleep(_POLL_SECONDS if waiting else 0)


async def _unready_reason(http: httpx2.AsyncClient, url: str) -> str | None:
    """Return why the service is not ready, or None when it is."""
    try:
        response = await http.get(f"{url}/health/ready")
    except httpx2.TransportError:
        return _NO_ANSWER
    return None if response.is_success else response.text.strip()
