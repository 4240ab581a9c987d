"""Responses, counted by route and by status.

Not by both at once: a gateway has sixty routes, and a process may have 200 series (ADR 23).
"""

from collections.abc import Awaitable, Callable, Iterable

from litestar.routes import BaseRoute, HTTPRoute
from litestar.types import Message, Scope
from prometheus_client import Counter

from chassis.observability.series import at_zero

REQUESTS = Counter("realtoros_http_requests_total", "Requests answered, by route.", ["route"])
RESPONSES = Counter("realtoros_http_responses_total", "Responses, by status.", ["status"])
# A request that matches no route, and a status that no route documents.
OTHER = "other"
STATUSES = frozenset(
    map(
        str,
        (
            *(200, 201, 202, 204, 303, 304, 307),
            *(400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 431),
            *(500, 503),
        ),
    )
)


def counting(routes: Iterable[BaseRoute]) -> Callable[[Message, Scope], Awaitable[None]]:
    """Return the hook that counts the responses of these routes."""
    paths = {route.path_format for route in routes if isinstance(route, HTTPRoute)}
    at_zero(REQUESTS, (*paths, OTHER))
    at_zero(RESPONSES, (*STATUSES, OTHER))

    async def count(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            path = scope.get("path_template", OTHER)
            status = str(message["status"])
            REQUESTS.labels(path if path in paths else OTHER).inc()
            RESPONSES.labels(status if status in STATUSES else OTHER).inc()

    return count
