"""Markers of routes, set in Litestar's `opt`, that middleware and the OpenAPI document read."""

from typing import Final

# No credentials are needed; with the value "unlimited", requests are not rate limited either.
PUBLIC: Final = "public"
# Only after a log-in with a password, not by API key.
SESSION_ONLY: Final = "session_only"
ADMIN_ONLY: Final = "admin_only"
# Only pages of this address may ask for it: it sets the cookie of a browser's session.
OWN_PAGES: Final = "own_pages"
# The request or its response holds passwords, tokens or keys: no cache may store it (RFC 6749,
# 5.1), nor does the gateway to replay it by Idempotency-Key.
NO_STORE: Final = "no_store"
# The response is 202 when the command's owner does not reply in time.
MAY_BE_PENDING: Final = "may_be_pending"
