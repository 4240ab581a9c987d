"""Failures that a person has to see to: an ERROR line and a metric, whatever else is done."""

from typing import Any

import structlog
from prometheus_client import Counter

FAILURES = Counter("realtoros_failures_total", "What a person has to see to.", ["problem"])

log = structlog.get_logger(__name__)


def report_failure(problem: str, **facts: Any) -> None:
    """Log and count it; `facts` are without personal data."""
    FAILURES.labels(problem).inc()
    log.error(problem, **facts)
