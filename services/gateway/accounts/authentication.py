"""The gate before the routes: who calls, whether he may, and whether it is not too often."""

import time
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv6Address, IPv6Network

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.types import ASGIApp, Receive, Scope, Send

from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.api_keys import KIND, ApiKeys
from services.gateway.accounts.caller import Caller
from services.gateway.accounts.rate_limits import TokenBuckets
from services.gateway.accounts.tokens import Secret

# What a route says of itself (Litestar's `opt`): open to everybody; only for who has logged in
# with a password; only for admins.
PUBLIC = "public"
SESSION_ONLY = "session_only"
ADMIN_ONLY = "admin_only"
# How long a caller stays recognised without another look: on other replicas, what is taken back
# is good for so long.
RECOGNISED_SECONDS = 5.0
_KEPT_CALLERS = 10_000
_READING = ("GET", "HEAD")
SUBPROTOCOL = "realtoros"
_IN_SUBPROTOCOLS = "bearer."


class Authentication:
    """Recognises callers by access token or API key. One per process."""

    def __init__(self, accounts: Accounts, keys: ApiKeys, rates: TokenBuckets) -> None:
        self._accounts = accounts
        self._keys = keys
        self._rates = rates
        self._recognised: dict[str, tuple[Caller, float]] = {}

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """Stand before an application (a Litestar middleware)."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            connection: ASGIConnection = ASGIConnection(scope)  # type: ignore[type-arg]
            opt = connection.route_handler.opt
            if PUBLIC in opt:
                if opt[PUBLIC] != "unlimited":
                    self._rates.take(address_of(connection))
            else:
                caller = await self.caller(token_of(connection), address_of(connection))
                self._rates.take(caller.agent_id)
                _authorize(caller, scope, opt)
                scope["user"] = caller
            await app(scope, receive, send)

        return guarded

    async def caller(self, token: str, address: str) -> Caller:
        """Give whose token it is.

        Each that has to be looked up counts as a request of the address. Raises
        NotAuthorizedException, TooManyRequests, Unavailable, PyMongoError.
        """
        now = time.monotonic()
        caller, until = self._recognised.get(token, (None, 0.0))
        if caller is None or until < now:
            self._rates.take(address)
            caller = await self._recognise(token)
            if caller is None:
                raise NotAuthorizedException("log in, or show an API key")
            if len(self._recognised) >= _KEPT_CALLERS:
                self._recognised.clear()
            self._recognised[token] = (caller, now + RECOGNISED_SECONDS)
        if caller.until and caller.until <= datetime.now(UTC):
            raise NotAuthorizedException("log in, or show an API key")
        return caller

    async def is_valid(self, caller: Caller) -> bool:
        """Tell whether a caller who was let in some time ago would be let in now."""
        if caller.until and caller.until <= datetime.now(UTC):
            return False
        if caller.session and not await self._accounts.has_session(caller.session):
            return False
        if caller.key and not await self._keys.has(caller.key):
            return False
        return await self._accounts.account(caller.agent_id) is not None

    def forget(self) -> None:
        """Recognise nobody without looking: something was taken back."""
        self._recognised.clear()

    async def _recognise(self, token: str) -> Caller | None:
        if secret := Secret.read(token, KIND):
            key = await self._keys.known(secret)
            account = key and await self._accounts.account(key.agent_id)
            if not (key and account):
                return None
            return Caller(account.id, account.role, frozenset(key.scopes), key=key.id)
        claims = self._accounts.tokens.read(token)
        if claims is None or not await self._accounts.has_session(claims.session):
            return None
        account = await self._accounts.account(claims.agent_id)
        if account is None:
            return None
        return Caller(account.id, account.role, session=claims.session, until=claims.until)


def token_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Give the bearer token (RFC 6750).

    A browser cannot set headers on a WebSocket: there it stands among the subprotocols.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(_IN_SUBPROTOCOLS):
            return offered.strip().removeprefix(_IN_SUBPROTOCOLS)
    raise NotAuthorizedException("log in, or show an API key")


def address_of(connection: ASGIConnection) -> str:  # type: ignore[type-arg]
    """Give the caller's address; behind a proxy that FORWARDED_ALLOW_IPS trusts, as that says.

    Of an IPv6 address the first half: whoever has one has all that begin so.
    """
    host = connection.client.host if connection.client else ""
    try:
        address = IPv6Address(host)
    except AddressValueError:
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


def _authorize(caller: Caller, scope: Scope, opt: dict[str, object]) -> None:
    reading = scope["type"] == ScopeType.WEBSOCKET or scope["method"] in _READING
    if ("read" if reading else "write") not in caller.scopes:
        raise PermissionDeniedException("the API key's scopes do not allow this")
    if SESSION_ONLY in opt and caller.session is None:
        raise PermissionDeniedException("log in with a password for this")
    if ADMIN_ONLY in opt and not caller.is_admin:
        raise PermissionDeniedException("only admins may do this")
