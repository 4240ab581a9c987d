"""Access tokens (JWT, RFC 7519 and RFC 8725), and the secrets of refresh tokens and API keys."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import jwt

AUDIENCE = "realtoros-api"
_ALGORITHM = "HS256"


class Claims(NamedTuple):
    """What an access token says."""

    agent_id: UUID
    session: UUID
    until: datetime


class AccessTokens:
    """Signs with the first of the keys, and accepts what any of them has signed.

    So a key is exchanged by putting a new one first, and taking the old one away once the last
    token that it signed has expired.
    """

    def __init__(self, keys: dict[str, str], issuer: str, life: timedelta) -> None:
        self._keys = keys
        self._issuer = issuer
        self.life = life

    def issue(self, agent_id: UUID, session: UUID) -> str:
        """Give a token for the agent."""
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

    def read(self, token: str) -> Claims | None:
        """Give what a token says; None when it is not one of ours, or has expired."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            said = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "sub", "sid"]},
            )
            until = datetime.fromtimestamp(said["exp"], UTC)
            return Claims(UUID(said["sub"]), UUID(said["sid"]), until)
        except (jwt.InvalidTokenError, LookupError, TypeError, ValueError):
            return None


class Secret(NamedTuple):
    """A random text that names a stored document: `<kind>_<its id>_<256 random bits>`."""

    kind: str
    id: UUID
    random: str

    @classmethod
    def new(cls, kind: str, id_: UUID) -> "Secret":
        """Make one."""
        return cls(kind, id_, secrets.token_urlsafe(32))

    @classmethod
    def read(cls, text: str, kind: str) -> "Secret | None":
        """Take one apart; None when it is none of this kind."""
        try:
            found, id_, random = text.split("_", 2)
            return cls(kind, UUID(hex=id_), random) if found == kind else None
        except ValueError:
            return None

    @property
    def digest(self) -> bytes:
        """What is stored of it. It is random, so that a plain hash is enough."""
        return hashlib.sha256(self.random.encode()).digest()

    def __str__(self) -> str:
        return f"{self.kind}_{self.id.hex}_{self.random}"
