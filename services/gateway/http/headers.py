"""Headers of every response, and those that pages of other origins may send and read (CORS)."""

from collections.abc import Awaitable, Callable

from litestar.types import Message, Scope

from services.gateway.markers import NO_STORE

CORS_REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
]
CORS_EXPOSED_HEADERS = [
    *("ETag", "Link", "Location", "Retry-After", "X-Total-Count", "Idempotency-Replayed"),
]
# The API answers data, and pages with a form: no page of it runs scripts, is framed, or is stored
# by a shared cache (OWASP REST Security Cheat Sheet). Pages of the dashboard have their own policy.
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-resource-policy", b"same-site"),
]
_PRIVATE = (b"cache-control", b"private, no-cache")
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def security_headers(public_url: str) -> Callable[[Message, Scope], Awaitable[None]]:
    """Return the hook that adds the headers; HSTS (RFC 6797) where the API is reached by https."""
    added = [*_ALWAYS, _HSTS] if public_url.startswith("https:") else _ALWAYS

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            own = {name.lower() for name, _ in headers}
            headers += [header for header in added if header[0] not in own]
            if _PRIVATE[0] not in own:
                # A request that matches no route has no handler.
                handler = scope.get("route_handler")
                secret = handler is not None and NO_STORE in handler.opt
                headers.append(_NO_STORE if secret else _PRIVATE)
            message["headers"] = headers

    return add
