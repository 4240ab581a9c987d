"""The headers of every answer, and those that pages of other origins may send and read."""

from collections.abc import Awaitable, Callable

from litestar.types import Message, Scope

ASKED = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
]
ANSWERED = ["ETag", "Link", "Location", "Retry-After", "X-Total-Count", "Idempotency-Replayed"]
# The API answers data: no page of it runs scripts, is framed, or is kept by a shared cache
# (OWASP REST Security Cheat Sheet).
_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-site"),
]
_PRIVATE = (b"cache-control", b"private, no-cache")
# What is posted there holds passwords, tokens or keys, or is answered with some: nobody stores it
# (RFC 6749, 5.1), nor do we to give the answer again.
SECRET_POSTS = ("/api/auth/", "/api/keys", "/api/admin/agents")
_NOT_STORED = (b"cache-control", b"no-store")
_SECURE = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


def hardened(public_url: str) -> Callable[[Message, Scope], Awaitable[None]]:
    """Make the hook that adds the headers; HSTS where the API is reached by https."""
    added = [*_ALWAYS, _SECURE] if public_url.startswith("https:") else _ALWAYS

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            headers += added
            if not any(name.lower() == _PRIVATE[0] for name, _ in headers):
                secret = scope.get("method") == "POST" and scope["path"].startswith(SECRET_POSTS)
                headers.append(_NOT_STORED if secret else _PRIVATE)
            message["headers"] = headers

    return add
