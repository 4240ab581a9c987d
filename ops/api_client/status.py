"""`realtoros status`: whether the gateway is ready, and how many of what there are."""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Final

from ops.api_client.client import ApiClient
from ops.errors import Away

TASKS: Final = ("pending", "due", "composed", "sent", "failed", "cancelled", "withheld", "unknown")
EMAILS: Final = (
    *("queued", "sent", "delivered", "opened", "clicked"),
    *("bounced", "failed", "withheld", "unknown"),
)


async def status(url: str, key: str | None, say: Callable[[str], None]) -> int:
    """Say what the gateway says; give 0 when it is ready, else 1. Raises Away when it is silent."""
    async with ApiClient(url, key) as api:
        ready, detail = await api.readiness()
        say(f"RealtorOS at {api.url} is {'ready' if ready else f'not ready: {_compact(detail)}'}")
        try:
            say(f"tasks   {await _counts(api, 'tasks', TASKS)}")
            say(f"emails  {await _counts(api, 'emails', EMAILS)}")
        except Away as error:
            if ready:
                raise
            say(str(error))
    return 0 if ready else 1


async def _counts(api: ApiClient, collection: str, statuses: Sequence[str]) -> str:
    counts = await asyncio.gather(*(api.count(collection, status) for status in statuses))
    found = [f"{name} {count}" for name, count in zip(statuses, counts, strict=True) if count]
    return ", ".join(found) or "none"


def _compact(detail: str) -> str:
    """Put a JSON answer on one line."""
    try:
        return json.dumps(json.loads(detail), ensure_ascii=False)
    except ValueError:
        return " ".join(detail.split())
