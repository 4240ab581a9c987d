"""Waiting until every service says that it is ready."""

import asyncio
import time
from collections.abc import Mapping

import httpx2

from ops.errors import OperatorError
from ops.local.supervised_process import SupervisedProcess

READY_SECONDS = 120.0
# A service that ends this often before all are ready will not get well by itself.
ENDS_AT_START = 3
_LOOK_SECONDS = 0.25
_SILENT = "it does not answer"


async def until_ready(
    urls: Mapping[SupervisedProcess, str], seconds: float = READY_SECONDS
) -> None:
    """Return when `/health/ready` of every child says so.

    Raises OperatorError when a service keeps ending, or when the time is over.
    """
    deadline = time.monotonic() + seconds
    waiting = dict.fromkeys(urls, _SILENT)
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as http:
        while waiting:
            for child in list(waiting):
                why = await _not_ready(http, urls[child])
                if why is None:
                    del waiting[child]
                elif child.ends >= ENDS_AT_START:
                    raise OperatorError(f"{child.name} does not start: it {child.last_end}")
                else:
                    waiting[child] = why
            if waiting and time.monotonic() > deadline:
                late = "; ".join(f"{child.name}: {why}" for child, why in waiting.items())
                raise OperatorError(f"not ready after {seconds:.0f} s: {late}")
            await asyncio.sleep(_LOOK_SECONDS if waiting else 0)


async def _not_ready(http: httpx2.AsyncClient, url: str) -> str | None:
    """Give what keeps the service from being ready, or None when it is."""
    try:
        response = await http.get(f"{url}/health/ready")
    except httpx2.TransportError:
        return _SILENT
    return None if response.is_success else response.text.strip()
