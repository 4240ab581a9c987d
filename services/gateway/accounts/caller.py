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

    Either `session` or `key` is set: the session, or the API key. `expires_at` is when the access
    token or the key does, None for a browser's session. `lacks_second_factor`: an admin who has to
    add one first.
    """

    agent_id: UUID
    role: Role
    scopes: frozenset[Scope] = EVERY_SCOPE
    session: UUID | None = None
    key: UUID | None = None
    expires_at: datetime | None = None
    lacks_second_factor: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether the caller may use admin routes."""
        return self.role == "admin" and "admin" in self.scopes and not self.lacks_second_factor

    @property
    def may_read(self) -> bool:
        """Whether responses may show the caller what is stored."""
        return "read" in self.scopes
