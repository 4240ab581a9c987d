"""Base classes of the pure aggregate modules. No I/O library is imported here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from contracts.message import Time


class State(BaseModel):
    """An aggregate's state, folded from its events.

    `due_at` is set by evolve when the aggregate wants attention at that time, else None.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    due_at: Time | None = None


class Sparse(BaseModel):
    """Base of parts of stored documents: fields that are None are not stored.

    So such a part can gain an optional field without changing documents stored before.
    """

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Given:
    """What a decision gets besides state and message: the time, and the causing message's id."""

    now: datetime
    cause: UUID

    def id(self, name: str) -> UUID:
        """Return an id that is the same whenever the same message is decided again."""
        return uuid5(self.cause, name)
