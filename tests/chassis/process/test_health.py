"""Live while the process answers; ready while it can work; started and stopped by the server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.process import health
from chassis.process.health import Health, answer


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
    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[None]:
        yield

    app = health.asgi(Health(), running)
    for path, status in (("/health/live", 200), ("/health/ready", 200), ("/metrics", 404)):
        start, body = await talk(app, {"type": "http", "path": path})
        assert start["status"] == status
        assert json.loads(body["body"])["status"]


async def test_the_service_runs_between_the_server_s_start_and_stop() -> None:
    steps: list[str] = []

    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[None]:
        steps.append("started")
        yield
        steps.append("stopped")

    received = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    sent = await talk(health.asgi(Health(), running), {"type": "lifespan"}, *received)
    assert [m["type"] for m in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert steps == ["started", "stopped"]


async def test_a_service_that_cannot_start_says_so_and_ends() -> None:
    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[None]:
        raise ConnectionError("no broker")
        yield

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with pytest.raises(ConnectionError):
        await health.asgi(Health(), running)({"type": "lifespan"}, receive, send)
    assert [m["type"] for m in sent] == ["lifespan.startup.failed"]
