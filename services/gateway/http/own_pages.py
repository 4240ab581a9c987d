"""What a browser sends by itself proves nothing: a page of anybody's may have made it send that.

So a write by cookie, and the log-in that sets one, has to come from a page of this address (Fetch
Metadata; where a browser does not tell, Origin), with a header that pages of other addresses may
not send (CORS). A WebSocket cannot have the header. Source: OWASP, Cross-Site Request Forgery
Prevention.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.types import ASGIApp, Receive, Scope, Send

from services.gateway.accounts.authentication import bearer_token
from services.gateway.markers import OWN_PAGES

CSRF_HEADER: Final = "X-CSRF-Protection"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_FOREIGN = "a browser's session is for pages of this address alone"
_NO_HEADER = f"requests of a browser's session need the header {CSRF_HEADER}: 1"

_Connection = ASGIConnection[Any, Any, Any, Any]


def own_pages(cookie: str) -> Callable[[ASGIApp], ASGIApp]:
    """Return the middleware that refuses what pages of other addresses do with the cookie."""

    def wrapped(app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            connection: _Connection = ASGIConnection(scope)
            by_cookie = cookie in connection.cookies and bearer_token(connection) is None
            if OWN_PAGES in connection.route_handler.opt or (by_cookie and _acts(scope)):
                _require_own_page(connection)
            await app(scope, receive, send)

        return guarded

    return wrapped


def _acts(scope: Scope) -> bool:
    """Return whether it is more than a request to read, which pages of others cannot read."""
    return scope["type"] == ScopeType.WEBSOCKET or scope["method"] not in _SAFE_METHODS


def _require_own_page(connection: _Connection) -> None:
    headers = connection.headers
    origin = urlsplit(headers.get("origin", "")).netloc
    own = origin != "" and origin == headers.get("host")
    if (site := headers.get("sec-fetch-site")) is not None:
        own = site == "same-origin"
    if not own:
        raise PermissionDeniedException(_FOREIGN)
    if connection.scope["type"] == ScopeType.HTTP and CSRF_HEADER not in headers:
        raise PermissionDeniedException(_NO_HEADER)
