"""Journals: one document for each event, never changed; beside the views, in their transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from beanie import Document
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from chassis.mongo.client import Database, Raw, duplicate_index
from contracts.cloudevents import Envelope
from contracts.message import Message


class Repeated(Exception):
    """An event bears the id of another one, or another replica has just written it down."""


@dataclass(frozen=True)
class Journal:
    """One kind of entry.

    `entry` gives the document of an event as it is stored, with an `_id` of its own; None for
    an event that is left out. It is pure, and runs for every event: `document` only tells the
    collection and its indexes.
    """

    document: type[Document]
    entry: Callable[[Envelope, Any], Raw | None]
    types: tuple[type[Message], ...]

    @property
    def collection(self) -> str:
        settings: Any = self.document.Settings
        return str(settings.name)

    async def write(
        self,
        database: Database,
        session: AsyncClientSession,
        events: Sequence[tuple[Envelope, Message]],
    ) -> None:
        """Write down what the events say. Raises Repeated; then the transaction is void."""
        told = (self.entry(envelope, e) for envelope, e in events if isinstance(e, self.types))
        if entries := [entry for entry in told if entry is not None]:
            try:
                await database[self.collection].insert_many(entries, ordered=False, session=session)
            except BulkWriteError as error:
                if duplicate_index(error) is None:
                    raise
                raise Repeated(self.collection) from error
