"""Journals: one document for each event, never changed; written with the views."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from beanie import Document
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from chassis.mongo.client import Database, Raw, duplicate_index
from contracts.cloudevents import EventEnvelope
from contracts.message import Message


class DuplicateEntry(Exception):
    """An event has the id of another one, or another replica has just written its entry."""


@dataclass(frozen=True)
class Journal:
    """One kind of entry.

    `entry` returns the stored document of an event, with an `_id` of its own, or None for an event
    that is left out. It is pure. `document` only declares the collection and its indexes.
    """

    document: type[Document]
    entry: Callable[[EventEnvelope, Any], Raw | None]
    types: tuple[type[Message], ...]

    @property
    def collection(self) -> str:
        settings: Any = self.document.Settings
        return str(settings.name)

    async def write(
        self,
        database: Database,
        session: AsyncClientSession,
        events: Sequence[tuple[EventEnvelope, Message]],
    ) -> None:
        """Write the events' entries. Raises DuplicateEntry; the transaction is then aborted."""
        found = (self.entry(envelope, e) for envelope, e in events if isinstance(e, self.types))
        if entries := [entry for entry in found if entry is not None]:
            try:
                await database[self.collection].insert_many(entries, ordered=False, session=session)
            except BulkWriteError as error:
                if duplicate_index(error) is None:
                    raise
                raise DuplicateEntry(self.collection) from error
