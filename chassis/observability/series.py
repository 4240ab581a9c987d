"""Series of metrics: each exists from the start, so that the first increase is seen as one."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from prometheus_client import Gauge, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

# A time of creation for each series would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]

BUILD = Gauge("realtoros_build_info", "The running version; always 1.", ["service", "version"])


def at_zero(metric: MetricWrapperBase, values: Iterable[Any]) -> None:
    """Create the series of a metric with one label for each of its values."""
    for value in values:
        metric.labels(value)


def announce_build(service: str) -> None:
    """Set the series that names service and version."""
    BUILD.labels(service, version("realtoros")).set(1)
