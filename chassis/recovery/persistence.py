"""What a service keeps in its database, declared in one place: its `documents.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from beanie import Document

from chassis.eventlog.aggregate import Aggregate
from chassis.eventlog.event_store import CommitDocument
from chassis.inbox.receipts import ReceiptDocument
from chassis.kafka.checkpoints import ConsumedDocument, PublishedDocument
from chassis.projections.journal import Journal
from chassis.projections.views import PositionDocument, View


@dataclass(frozen=True)
class Store:
    """The aggregates that a service owns, what it keeps of others' streams, and what is neither."""

    aggregates: Sequence[Aggregate[Any, Any]] = ()
    views: Sequence[View[Any]] = ()
    journals: Sequence[Journal] = ()
    others: Sequence[type[Document]] = ()

    @property
    def kept(self) -> list[View[Any] | Journal]:
        """What is kept of others' streams."""
        return [*self.views, *self.journals]

    @property
    def documents(self) -> list[type[Document]]:
        """All documents, with those that the chassis needs."""
        documents: list[type[Document]] = [ConsumedDocument, *self.others]
        if self.aggregates:
            documents += [CommitDocument, ReceiptDocument, PublishedDocument]
            documents += [aggregate.document for aggregate in self.aggregates]
        if self.kept:
            documents += [PositionDocument, *(each.document for each in self.kept)]
        return documents
