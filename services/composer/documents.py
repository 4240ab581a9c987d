"""What composer stores: drafts, and when letters were written."""

from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel
from pymongo import IndexModel

from chassis.eventlog.aggregate import DUE, Aggregate, StateDocument
from chassis.mongo.client import UuidDocument
from chassis.recovery.persistence import Store
from contracts.composer import DraftEvent
from contracts.message import Time
from services.composer import draft


class DraftDocument(StateDocument[draft.Draft]):
    """A draft's state."""

    class Settings:
        name = "drafts"
        indexes: ClassVar = [
            DUE,
            IndexModel(
                [("state.client_id", 1)],
                name="composed_by_client",
                partialFilterExpression={"state.status": "composed"},
            ),
        ]


class CountedLetter(BaseModel):
    """A letter that counts among those of a day until then."""

    id: UUID
    until: Time


class DailyLettersDocument(UuidDocument):
    """The letters of an agent that count now; `next`: when the draft postponed last is written."""

    letters: list[CountedLetter]
    next: Time | None = None

    class Settings:
        name = "daily_letters"


DRAFTS = Aggregate[draft.Draft, DraftEvent]("draft", DraftDocument, draft.evolve)

STORE = Store(aggregates=(DRAFTS,), others=(DailyLettersDocument,))
