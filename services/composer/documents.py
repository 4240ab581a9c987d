"""What composer stores: drafts, and when letters were written."""

from typing import ClassVar

from pymongo import IndexModel

from chassis.eventlog.aggregate import DUE, Aggregate, StateDocument
from chassis.eventlog.waiting import waiting_index
from chassis.mongo.daily_limit import DailyPlacesDocument
from chassis.recovery.persistence import Store
from contracts.composer import DraftEvent
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
            waiting_index("requested"),
        ]


DRAFTS = Aggregate[draft.Draft, DraftEvent]("draft", DraftDocument, draft.evolve)

STORE = Store(aggregates=(DRAFTS,), others=(DailyPlacesDocument,))
