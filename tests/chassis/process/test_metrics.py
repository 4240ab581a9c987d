"""Metrics as Prometheus reads them, and refusals that do not fill the log."""

import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis.inbox import quarantine
from chassis.process import metrics
from chassis.process.metrics import count_refusal, metrics_app, report_failure


async def get(path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await metrics_app({"type": "http", "path": path}, None, send)
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


async def test_metrics_are_served_as_prometheus_reads_them() -> None:
    report_failure("a_problem_of_the_test", attempt=1)
    quarantine.QUARANTINED.labels("topic_of_the_test").inc()
    status, headers, body = await get("/metrics")
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/plain")
    assert b'realtoros_failures_total{problem="a_problem_of_the_test"} 1.0' in body
    assert b'realtoros_quarantined_total{topic="topic_of_the_test"} 1.0' in body
    assert (await get("/health/live"))[0] == 404


def test_refusals_are_counted_and_logged_once_a_minute_with_their_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with capture_logs() as logs:
        for _ in range(100):
            count_refusal("one of the test")
        count_refusal("another of the test")
        now += 59
        count_refusal("one of the test")
        assert [(line["reason"], line["count"]) for line in logs] == [
            ("one of the test", 1),
            ("another of the test", 1),
        ]
        now += 2
        count_refusal("one of the test")
    assert (logs[-1]["reason"], logs[-1]["count"]) == ("one of the test", 101)
    counted = metrics.REFUSALS.labels("one of the test")
    assert counted._value.get() == 102
