"""What a service stores in its database; each declares it in its `documents.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from beanie import Document

from chassis.eventlog.aggregate import Aggregate
from chassis.eventlog.event_store import CommitDocument
from chassis.inbox.receipts import ReceiptDocument
from chassis.kafka.checkpoints import ComparedDocument, ConsumedDocument, PublishedDocument
from chassis.projections.journal import Journal
from chassis.projections.views import PositionDocument, View
from chassis.recovery.forks import ForkDocument


@dataclass(frozen=True)
class Store:
    """A service's aggregates, its views and journals of other streams, and other documents."""

    aggregates: Sequence[Aggregate[Any, Any]] = ()
    views: Sequence[View[Any]] = ()
    journals: Sequence[Journal] = ()
    others: Sequence[type[Document]] = ()

    @property
    def projections(self) -> list[View[Any] | Journal]:
        """The views and journals."""
        return [*self.views, *self.journals]

    @property
    def documents(self) -> list[type[Document]]:
        """All documents, including those of the chassis."""
        documents: list[type[Document]] = [ConsumedDocument, *self.others]
        if self.aggregates:
            documents += [CommitDocument, ReceiptDocument, PublishedDocument]
            documents += [ComparedDocument, ForkDocument]
            documents += [aggregate.document for aggregate in self.aggregates]
        if self.projections:
            documents += [PositionDocument, *(each.document for each in self.projections)]
        return documents
