"""Failures that need a person: an ERROR line in the log and a metric."""

from typing import Any

import structlog
from prometheus_client import Counter

FAILURES = Counter("realtoros_failures_total", "Failures that need a person.", ["problem"])

log = structlog.get_logger(__name__)


def report_failure(problem: str, **facts: Any) -> None:
    """Log and count it; `facts` are without personal data."""
    FAILURES.labels(problem).inc()
    log.error(problem, **facts)
