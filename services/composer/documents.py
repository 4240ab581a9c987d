"""What composer keeps: the drafts."""

from typing import ClassVar

from beanie import Document

from chassis.aggregate import DUE, Aggregate, StateDocument
from chassis.log import CommitDocument
from chassis.receipts import ReceiptDocument
from contracts.composer import DraftEvent
from services.composer import draft


class DraftDocument(StateDocument[draft.Draft]):
    """A draft's state."""

    class Settings:
        name = "drafts"
        indexes: ClassVar = [DUE]


DOCUMENTS: tuple[type[Document], ...] = (DraftDocument, CommitDocument, ReceiptDocument)

DRAFTS = Aggregate[draft.Draft, DraftEvent]("draft", DraftDocument, draft.evolve)
