"""Who is calling."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Role = Literal["agent", "admin"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The agent on whose behalf a request comes; Litestar gives it as `request.user`."""

    agent_id: UUID
    role: Role
    # When the call's credentials end; None: never.
    until: datetime | None = None
