"""Who is calling."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

Role = Literal["agent", "admin"]
Scope = Literal["read", "write", "admin"]
EVERY_SCOPE: frozenset[Scope] = frozenset(get_args(Scope))


@dataclass(frozen=True, slots=True)
class Caller:
    """The agent on whose behalf a request comes; Litestar gives it as `request.user`.

    `session` is the log-in that the access token belongs to, `key` the API key: it is one of them.
    `until` is when the access token expires.
    """

    agent_id: UUID
    role: Role
    scopes: frozenset[Scope] = EVERY_SCOPE
    session: UUID | None = None
    key: UUID | None = None
    until: datetime | None = None

    @property
    def is_admin(self) -> bool:
        """Whether admin routes are open to the caller."""
        return self.role == "admin" and "admin" in self.scopes
