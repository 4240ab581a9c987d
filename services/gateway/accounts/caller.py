"""The caller of a request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

Role = Literal["agent", "admin"]
Scope = Literal["read", "write", "admin"]
EVERY_SCOPE: frozenset[Scope] = frozenset(get_args(Scope))


@dataclass(frozen=True, slots=True)
class Caller:
    """The agent who makes a request: Litestar's `request.user`.

    Either `session` or `key` is set: the access token's session, or the API key.
    `expires_at` is when the access token does.
    """

    agent_id: UUID
    role: Role
    scopes: frozenset[Scope] = EVERY_SCOPE
    session: UUID | None = None
    key: UUID | None = None
    expires_at: datetime | None = None

    @property
    def is_admin(self) -> bool:
        """Whether the caller may use admin routes."""
        return self.role == "admin" and "admin" in self.scopes
