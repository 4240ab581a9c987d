"""The log: commits and the states folded from them, appended together in one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession

from chassis.eventlog.aggregate import Aggregate, Change, S, StateDocument, to_raw
from chassis.mongo.client import Database, Raw, duplicate_index, in_transaction, is_transient
from chassis.process.pacing import PACE_SECONDS, Pace

FLUSH_COMMITS = 200

BY_ID, BY_CAUSE, UNPUBLISHED = "_id_", "by_cause", "unpublished"


class CommitDocument(Document):
    """One commit of a stream; its id, `<stream>@<first>`, makes (stream, first) unique.

    `published` is false until Kafka has acknowledged all its events.
    """

    id: str  # type: ignore[assignment]
    stream: str
    first: int
    last: int
    cause: UUID
    correlation: UUID
    at: datetime
    key: UUID
    topic: str
    events: list[dict[str, Any]]
    published: Any

    class Settings:
        name = "commits"
        indexes: ClassVar = [
            # The cause first: a batch looks up many causes at once.
            IndexModel([("cause", 1), ("stream", 1)], name=BY_CAUSE, unique=True),
            IndexModel(
                [("published", 1), ("stream", 1), ("first", 1)],
                name=UNPUBLISHED,
                partialFilterExpression={"published": False},
            ),
        ]


class Clash(Exception):
    """Another writer appended first, or a unique index on the state refused: `index` names it."""

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index

    @property
    def on_log(self) -> bool:
        """Whether another writer was first: read and decide again."""
        return self.index in (BY_ID, BY_CAUSE)


class StateBehindLog(Exception):
    """A state lacks events of its log: its document was changed by other means than the log."""


class EventLog:
    """A service's log. Appends that come in together share a transaction (group commit)."""

    def __init__(self, database: Database, pace: float = PACE_SECONDS) -> None:
        self.database = database
        self.commits = database[CommitDocument.Settings.name]
        self.listeners: list[Callable[[Sequence[Change[Any]]], None]] = []
        self._waiting: list[tuple[Change[Any], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._pace = Pace(pace)

    async def known(self, causes: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        """Return the last version of the commit of each (cause, stream) that is in the log."""
        wanted = set(causes)
        if not wanted:
            return {}
        found = self.commits.find(
            {"cause": {"$in": list({cause for cause, _ in wanted})}},
            {"_id": 0, "cause": 1, "stream": 1, "last": 1},
        )
        return {key: c["last"] async for c in found if (key := (c["cause"], c["stream"])) in wanted}

    async def load(
        self,
        aggregate: Aggregate[S, Any],
        ids: Iterable[UUID],
        session: AsyncClientSession | None = None,
    ) -> dict[UUID, StateDocument[S]]:
        """Read the states of the aggregates that exist."""
        wanted = {"_id": {"$in": list(ids)}}
        found = self.database[aggregate.collection].find(wanted, session=session)
        return {raw["_id"]: aggregate.document.model_validate(raw) async for raw in found}

    async def append(self, changes: Sequence[Change[Any]]) -> list[Exception | None]:
        """Store the changes, of distinct streams; return for each None, or its error.

        The error is a Clash, or a bug of the change itself (a document that is too large). Raises
        PyMongoError when the store is away: the changes may be stored or not.
        """
        loop = asyncio.get_running_loop()
        futures = []
        for change in changes:
            future: asyncio.Future[None] = loop.create_future()
            futures.append(future)
            self._waiting.append((change, future))
        self._wake.set()
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None and (
                not isinstance(outcome, Exception) or is_transient(outcome)
            ):
                raise outcome
        return outcomes  # type: ignore[return-value]

    async def run(self) -> None:
        """Store what is appended, until cancelled."""
        while True:
            await self._wake.wait()
            await self._pace.turn()
            await self._flush()

    async def _flush(self) -> None:
        batch: dict[str, tuple[Change[Any], asyncio.Future[None]]] = {}
        rest = []
        for change, future in self._waiting:
            if len(batch) < FLUSH_COMMITS and change.commit.stream not in batch:
                batch[change.commit.stream] = (change, future)
            else:
                rest.append((change, future))
        self._waiting = rest
        self._pace.took(len(batch))
        if not rest:
            self._wake.clear()
        await self._store(list(batch.values()))

    async def _store(self, batch: list[tuple[Change[Any], asyncio.Future[None]]]) -> None:
        try:
            await self._transaction([change for change, _ in batch])
        except Exception as error:  # noqa: BLE001 - raised where the append is awaited
            if len(batch) > 1 and not is_transient(error):
                for each in batch:
                    await self._store([each])
                return
            index = duplicate_index(error)
            for _, future in batch:
                if not future.done():
                    future.set_exception(Clash(index) if index else error)
        else:
            for _, future in batch:
                if not future.done():
                    future.set_result(None)
            for listener in self.listeners:
                listener([change for change, _ in batch])

    async def _transaction(self, changes: Sequence[Change[Any]]) -> None:
        commits = [InsertOne[Raw](change.commit.to_raw()) for change in changes]
        documents = [(change.aggregate, change.document) for change in changes]
        await in_transaction(self.database, lambda s: self.write(s, commits, documents))

    async def write(
        self,
        session: AsyncClientSession,
        commits: Sequence[InsertOne[Raw] | UpdateOne],
        documents: Iterable[tuple[Aggregate[Any, Any], StateDocument[Any]]],
    ) -> None:
        """Write commits and the states that follow from them, in a transaction."""
        states: dict[str, list[ReplaceOne[Raw]]] = {}
        for aggregate, document in documents:
            states.setdefault(aggregate.collection, []).append(
                ReplaceOne({"_id": document.id}, to_raw(document), upsert=True)
            )
        await self.commits.bulk_write(commits, session=session)
        for collection, writes in states.items():
            await self.database[collection].bulk_write(writes, session=session)
