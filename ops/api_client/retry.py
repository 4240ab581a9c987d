"""`realtoros retry`: what has failed is written or sent again."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from ops.api_client.client import ApiClient

_KINDS = ("retried", "refused", "pending")


async def retry_failed(
    url: str, key: str | None, since: datetime | None, say: Callable[[str], None]
) -> int:
    """Retry failed follow-ups, an admin those of all agents; return 1 if some cannot be.

    Raises ApiUnavailable.
    """
    counts, reasons = Counter[str](), Counter[str]()
    async with ApiClient(url, key) as api:
        of_all = await api.is_admin()
        while True:
            done = await api.retry_failed(since, of_all=of_all)
            counts.update({kind: done[kind] for kind in _KINDS})
            reasons.update(task["reason"] for task in done["tasks"] if task["reason"])
            if not done["remaining"] or not done["retried"]:
                break
    say(", ".join(f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind]) or "nothing failed")
    for reason, number in reasons.most_common():
        say(f"{number} refused: {reason}")
    return 1 if counts["refused"] else 0
