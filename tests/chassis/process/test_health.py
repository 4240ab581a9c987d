"""Live while the process answers; ready while it can work; started and stopped by the server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from chassis.process import health
from chassis.process.health import Health, answer
from chassis.process.hosting import Hosting, health_app


async def fine() -> None:
    return None


async def test_a_process_is_ready_when_every_check_is_fine() -> None:
    checks = Health()
    assert await answer(checks, "/health/ready") == (200, {"status": "ready"})
    checks.checks |= {"mongodb": fine, "kafka": fine}
    assert await answer(checks, "/health/ready") == (200, {"status": "ready"})


async def test_each_part_that_is_wrong_is_named_and_the_process_lives_on() -> None:
    async def slow() -> str | None:
        return "no partitions assigned yet"

    async def broken() -> str | None:
        raise ConnectionError("mongodb://user:password@db.example")  # pragma: allowlist secret

    checks = Health()
    checks.checks |= {"kafka": slow, "mongodb": broken, "relay": fine}
    status, body = await answer(checks, "/health/ready")
    assert status == 503
    assert body == {
        "status": "not ready",
        "kafka": "no partitions assigned yet",
        "mongodb": "ConnectionError",
    }
    assert await answer(checks, "/health/live") == (200, {"status": "live"})


async def test_a_check_that_hangs_is_wrong_and_does_not_hold_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hanging() -> str | None:
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    checks = Health()
    checks.checks |= {"mongodb": hanging, "kafka": fine}
    assert await checks.problems() == {"mongodb": "TimeoutError"}


async def test_a_check_that_is_added_while_others_are_asked_counts_the_next_time() -> None:
    checks = Health()

    async def missing() -> str | None:
        return "missing"

    async def starting() -> str | None:
        checks.checks["forks"] = missing
        return None

    checks.checks["start"] = starting
    assert await checks.problems() == {}
    assert await checks.problems() == {"forks": "missing"}


async def test_a_check_turns_green_again() -> None:
    wrong: str | None = "away"

    async def check() -> str | None:
        return wrong

    checks = Health()
    checks.checks["relay"] = check
    assert (await answer(checks, "/health/ready"))[0] == 503
    wrong = None
    assert (await answer(checks, "/health/ready"))[0] == 200


async def talk(app: Any, scope: dict[str, Any], *received: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    incoming = iter(received)

    async def receive() -> dict[str, Any]:
        return next(incoming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_health_is_served_over_http() -> None:
    app = health_app(Health())
    for path, status in (("/health/live", 200), ("/health/ready", 200), ("/metrics", 404)):
        start, body = await talk(app, {"type": "http", "path": path})
        assert start["status"] == status
        assert json.loads(body["body"])["status"]


class Start:
    """A service whose start lasts until it is allowed; its steps are noted."""

    def __init__(self) -> None:
        self.allowed = asyncio.Event()
        self.steps: list[str] = []
        self.signals: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        checks = Health()
        self.app = Hosting(health_app(checks), checks, self.running)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.steps.append("starting")
        await self.allowed.wait()
        self.steps.append("started")
        yield
        self.steps.append("stopped")

    async def live(self) -> None:
        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        await self.app({"type": "lifespan"}, self.signals.get, send)

    async def status(self, path: str) -> int:
        start, _ = await talk(self.app, {"type": "http", "path": path})
        return int(start["status"])


async def test_a_service_is_live_while_it_starts_and_ready_afterwards() -> None:
    service = Start()
    living = asyncio.create_task(service.live())
    await service.signals.put({"type": "lifespan.startup"})
    await until(lambda: service.steps == ["starting"])
    assert [m["type"] for m in service.sent] == ["lifespan.startup.complete"]
    assert await service.status("/health/live") == 200
    assert await service.status("/health/ready") == 503
    assert await service.status("/api/clients") == 503
    service.allowed.set()
    await until(lambda: service.steps == ["starting", "started"])
    assert await service.status("/health/ready") == 200
    await service.signals.put({"type": "lifespan.shutdown"})
    await living
    assert service.steps == ["starting", "started", "stopped"]


async def test_a_stop_does_not_wait_for_the_start() -> None:
    service = Start()
    living = asyncio.create_task(service.live())
    await service.signals.put({"type": "lifespan.startup"})
    await until(lambda: service.steps == ["starting"])
    await service.signals.put({"type": "lifespan.shutdown"})
    await living
    assert service.steps == ["starting"]
    assert service.sent[-1]["type"] == "lifespan.shutdown.complete"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_check_that_is_added_while_others_run_waits_for_the_next_time() -> None:
    checks = Health()

    async def starting() -> str | None:
        checks.checks["kafka"] = fine
        return "starting"

    checks.checks["mongodb"] = starting
    assert await checks.problems() == {"mongodb": "starting"}
