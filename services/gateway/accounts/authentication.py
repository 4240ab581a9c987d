"""Middleware before the routes: authentication, authorization and the rate limit."""

import time
from datetime import UTC, datetime

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.types import ASGIApp, Receive, Scope, Send

from chassis.process.connections import network_of
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.api_keys import KIND, ApiKeys
from services.gateway.accounts.caller import Caller
from services.gateway.accounts.documents import AccountDocument, ApiKeyDocument, SessionDocument
from services.gateway.accounts.rate_limits import TokenBuckets
from services.gateway.accounts.sessions import BROWSER, Sessions
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.markers import ADMIN_ONLY, PUBLIC, SESSION_ONLY

# How long an authenticated caller is cached: on other replicas, what is revoked stays valid for
# so long.
CACHE_SECONDS = 5.0
_MAX_CACHED = 10_000
_READ_METHODS = ("GET", "HEAD")
_UNAUTHENTICATED = "log in, or send an API key, as the bearer token"
_SECOND_FACTOR = "admins need a second factor here: add yours with POST /api/auth/totp"
SUBPROTOCOL = "realtoros"
_BEARER = "bearer."


class Authentication:
    """Authenticates callers by access token, API key or a browser's cookie. One per process.

    With `require_admin_totp`, an admin without a second factor may do only what an agent may.
    """

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        keys: ApiKeys,
        rates: TokenBuckets,
        cookie: str,
        *,
        require_admin_totp: bool,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._keys = keys
        self._rates = rates
        self._cookie = cookie
        self._require_admin_totp = require_admin_totp
        self._cache: dict[str, tuple[Caller, float]] = {}

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application (a Litestar middleware)."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            connection: ASGIConnection = ASGIConnection(scope)  # type: ignore[type-arg]
            opt = connection.route_handler.opt
            if PUBLIC in opt:
                if opt[PUBLIC] != "unlimited":
                    self._rates.take(client_address(connection))
            else:
                token = bearer_token(connection) or connection.cookies.get(self._cookie)
                if token is None:
                    raise NotAuthorizedException(_UNAUTHENTICATED)
                caller = await self.authenticate(token, client_address(connection))
                self._rates.take(caller.agent_id)
                _authorize(caller, scope, opt)
                scope["user"] = caller
            await app(scope, receive, send)

        return guarded

    async def authenticate(self, token: str, address: str) -> Caller:
        """Return the caller that the token belongs to.

        A lookup that the cache does not save counts as a request of the address. Raises
        NotAuthorizedException, TooManyRequests, Unavailable, PyMongoError.
        """
        now = time.monotonic()
        caller, cached_until = self._cache.get(token, (None, 0.0))
        if caller is None or cached_until < now:
            self._rates.take(address)
            caller = await self._look_up(token)
            if caller is None:
                raise NotAuthorizedException(_UNAUTHENTICATED)
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[token] = (caller, now + CACHE_SECONDS)
        if caller.expires_at and caller.expires_at <= datetime.now(UTC):
            raise NotAuthorizedException(_UNAUTHENTICATED)
        return caller

    async def is_valid(self, caller: Caller) -> bool:
        """Return whether a caller who was authenticated earlier still would be."""
        if caller.expires_at and caller.expires_at <= datetime.now(UTC):
            return False
        if caller.session:
            session = await self._sessions.find(caller.session, caller.agent_id)
            return await self._by_session(session) is not None
        return bool(caller.key and await self._by_key(await self._keys.find(caller.key)))

    def clear_cache(self) -> None:
        """Look every caller up again: some credentials were revoked."""
        self._cache.clear()

    async def _look_up(self, token: str) -> Caller | None:
        if api_key := OpaqueToken.parse(token, KIND):
            key = await self._keys.verify(api_key)
            account = await self._by_key(key)
            if not (key and account):
                return None
            self._keys.record_use(key)
            return Caller(
                account.id,
                account.role,
                frozenset(key.scopes),
                key=key.id,
                expires_at=key.expires_at,
                lacks_second_factor=self._lacks_second_factor(account),
            )
        expires_at = None
        if in_browser := OpaqueToken.parse(token, BROWSER):
            session = await self._sessions.find_in_browser(in_browser)
        elif claims := self._sessions.access.verify(token):
            session = await self._sessions.find(claims.session, claims.agent_id)
            expires_at = claims.expires_at
        else:
            return None
        account = await self._by_session(session)
        if not (session and account):
            return None
        return Caller(
            account.id,
            account.role,
            session=session.id,
            expires_at=expires_at,
            lacks_second_factor=self._lacks_second_factor(account),
        )

    async def _by_session(self, session: SessionDocument | None) -> AccountDocument | None:
        """Return the account whose session this is, unless it has ended."""
        account = session and await self._accounts.active_account(session.agent_id)
        return account if session and account and account.has_session(session) else None

    async def _by_key(self, key: ApiKeyDocument | None) -> AccountDocument | None:
        """Return the account whose key this is, unless it was revoked."""
        account = key and await self._accounts.active_account(key.agent_id)
        return account if key and account and account.has_key(key) else None

    def _lacks_second_factor(self, account: AccountDocument) -> bool:
        needs_one = self._require_admin_totp and account.role == "admin"
        return needs_one and account.second_factor is None


def bearer_token(connection: ASGIConnection) -> str | None:  # type: ignore[type-arg]
    """Return the bearer token (RFC 6750), if there is one.

    A browser cannot set headers on a WebSocket: it sends the token as a subprotocol.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(_BEARER):
            return offered.strip().removeprefix(_BEARER)
    return None


def client_address(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Return the caller's address; proxies are trusted as FORWARDED_ALLOW_IPS says.

    Of an IPv6 address, return its /64 network: all its addresses belong to one subscriber.
    """
    return network_of(connection.client.host if connection.client else "")


def _authorize(caller: Caller, scope: Scope, opt: dict[str, object]) -> None:
    reading = scope["type"] == ScopeType.WEBSOCKET or scope["method"] in _READ_METHODS
    if ("read" if reading else "write") not in caller.scopes:
        raise PermissionDeniedException("the API key lacks the scope for this")
    if SESSION_ONLY in opt and caller.session is None:
        raise PermissionDeniedException("an API key cannot do this: log in with a password")
    if ADMIN_ONLY in opt and caller.lacks_second_factor:
        raise PermissionDeniedException(_SECOND_FACTOR)
    if ADMIN_ONLY in opt and not caller.is_admin:
        raise PermissionDeniedException("only admins may do this")
