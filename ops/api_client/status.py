"""`realtoros status`: whether the gateway is ready, and counts by status."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import get_args

from ops.api_client.client import ApiClient
from ops.errors import ApiUnavailable
from services.gateway.read_models.documents import EmailStatus, TaskStatus


async def status(url: str, key: str | None, say: Callable[[str], None]) -> int:
    """Print the status; return 0 when the gateway is ready, else 1. Raises ApiUnavailable."""
    async with ApiClient(url, key) as api:
        ready, detail = await api.readiness()
        say(f"RealtorOS at {api.url} is {'ready' if ready else f'not ready: {_compact(detail)}'}")
        try:
            say(f"tasks   {await _counts(api, 'tasks', get_args(TaskStatus))}")
            say(f"emails  {await _counts(api, 'emails', get_args(EmailStatus))}")
        except ApiUnavailable as error:
            if ready:
                raise
            say(str(error))
    return 0 if ready else 1


async def _counts(api: ApiClient, collection: str, statuses: Sequence[str]) -> str:
    counts = await asyncio.gather(*(api.count(collection, status) for status in statuses))
    found = [f"{name} {count}" for name, count in zip(statuses, counts, strict=True) if count]
    return ", ".join(found) or "none"


def _compact(detail: str) -> str:
    """Return a JSON answer on one line."""
    try:
        return json.dumps(json.loads(detail), ensure_ascii=False)
    except ValueError:
        return " ".join(detail.split())
