"""Health over HTTP: live while the event loop answers, ready while work can be done."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

Check = Callable[[], Awaitable[str | None]]
Running = Callable[[], AbstractAsyncContextManager[Any]]

CHECK_SECONDS = 2.0


class Health:
    """The checks of one process. A check returns None, or what is wrong."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}

    async def problems(self) -> dict[str, str]:
        """Run all checks at once, each for two seconds at most; return what is wrong by check."""
        # A service that starts adds checks meanwhile.
        checks = dict(self.checks)
        answers = await asyncio.gather(*(self._run(check) for check in checks.values()))
        return {name: a for name, a in zip(checks, answers, strict=True) if a}

    @staticmethod
    async def _run(check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process is not ready
            return type(error).__name__


async def answer(health: Health, path: str) -> tuple[int, dict[str, Any]]:
    """Return status and body for a health path; 404 for any other."""
    if path == "/health/live":
        return 200, {"status": "live"}
    if path == "/health/ready":
        problems = await health.problems()
        return (
            (503, {"status": "not ready", **problems}) if problems else (200, {"status": "ready"})
        )
    return 404, {"status": "not found"}
