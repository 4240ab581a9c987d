"""Access tokens (JWT, RFC 7519 and RFC 8725), and the secrets of refresh tokens and API keys."""

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import jwt

AUDIENCE = "realtoros-api"
_ALGORITHM = "HS256"
# How far clocks of gateways may be apart: a token may be used before it was issued by the reader's.
_LEEWAY = timedelta(seconds=60)


class Claims(NamedTuple):
    """The claims of a valid access token."""

    agent_id: UUID
    session: UUID
    expires_at: datetime


class AccessTokens:
    """Signs with the first key and accepts signatures by any of them.

    So keys are rotated by putting a new one first, and removing the old one once the last token
    that it signed has expired.
    """

    def __init__(self, keys: dict[str, str], issuer: str, life: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self.life = life

    def issue(self, agent_id: UUID, session: UUID) -> str:
        """Return a token for the agent."""
        now = datetime.now(UTC)
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(agent_id),
            "sid": str(session),
            "iat": now,
            "exp": now + self.life,
        }
        name, key = next(iter(self._keys.items()))
        return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": name})

    def verify(self, token: str) -> Claims | None:
        """Return the claims; None when the token is invalid or has expired."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "sub", "sid"]},
            )
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            # The leeway is for `iat` and `nbf`: a token lives no longer because of it.
            if expires_at <= datetime.now(UTC):
                return None
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]), expires_at)
        except (jwt.InvalidTokenError, LookupError, TypeError, ValueError):
            return None


class OpaqueToken(NamedTuple):
    """An opaque token that names a stored document: `<kind>_<its id>_<256 random bits>`."""

    kind: str
    id: UUID
    random: str

    @classmethod
    def new(cls, kind: str, id_: UUID) -> "OpaqueToken":
        """Make a token."""
        return cls(kind, id_, secrets.token_urlsafe(32))

    @classmethod
    def parse(cls, text: str, kind: str) -> "OpaqueToken | None":
        """Parse a token; None when it is not one of this kind, spelled as it was issued."""
        try:
            found, id_, random = text.split("_", 2)
            token = cls(found, UUID(hex=id_), random)
        except ValueError:
            return None
        return token if found == kind and str(token) == text and text.isascii() else None

    def successor(self, key: str) -> "OpaqueToken":
        """Return the token that this one is exchanged for: always the same under the same key."""
        code = hmac.digest(key.encode(), f"successor of {self}".encode(), hashlib.sha256)
        return self._replace(random=base64.urlsafe_b64encode(code).decode().rstrip("="))

    @property
    def digest(self) -> bytes:
        """The hash to store: of random bits, a plain hash is enough."""
        return hashlib.sha256(self.random.encode()).digest()

    def __str__(self) -> str:
        return f"{self.kind}_{self.id.hex}_{self.random}"
