"""What composer keeps: the drafts."""

from typing import ClassVar

from chassis.aggregate import DUE, Aggregate, StateDocument
from contracts.composer import DraftEvent
from services.composer import draft


class DraftDocument(StateDocument[draft.Draft]):
    """A draft's state."""

    class Settings:
        name = "drafts"
        indexes: ClassVar = [DUE]


DRAFTS = Aggregate[draft.Draft, DraftEvent]("draft", DraftDocument, draft.evolve)
