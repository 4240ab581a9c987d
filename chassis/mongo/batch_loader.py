"""Reading by id, batched: what workers ask for at the same moment is one query."""

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.client import Database

D = TypeVar("D", bound=BaseModel)
R = TypeVar("R")

_REMEMBERED = 10_000


class Batched(ABC, Generic[R]):
    """What there is for an id. Always reads the store: nothing is cached."""

    def __init__(self) -> None:
        self._pending: dict[UUID, asyncio.Future[R | None]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, id_: UUID) -> R | None:
        """Read it, or None. Raises PyMongoError when the store is away."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._start)
        future = self._pending.setdefault(id_, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    def _start(self) -> None:
        pending, self._pending = self._pending, {}
        reading = asyncio.create_task(self._read(pending))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _read(self, pending: dict[UUID, asyncio.Future[R | None]]) -> None:
        try:
            found = await self._find(list(pending))
        except Exception as error:  # noqa: BLE001 - raised by `get`
            for future in pending.values():
                future.set_exception(error)
        else:
            for id_, future in pending.items():
                future.set_result(found.get(id_))

    @abstractmethod
    async def _find(self, ids: list[UUID]) -> Mapping[UUID, R]:
        """Read what there is for the ids."""


class BatchLoader(Batched[D]):
    """Documents of one collection by id."""

    def __init__(self, database: Database, collection: str, document: type[D]) -> None:
        super().__init__()
        self._collection = database[collection]
        self._document = document

    async def _find(self, ids: list[UUID]) -> dict[UUID, D]:
        found = self._collection.find({"_id": {"$in": ids}})
        return {raw["_id"]: self._document.model_validate(raw) async for raw in found}


class RecentLoader(BatchLoader[D]):
    """Documents as they were at most `max_age` seconds ago: a query in that time for each of them.

    For what many workers ask again and again, like whether their agent is active.
    """

    def __init__(
        self, database: Database, collection: str, document: type[D], max_age: float
    ) -> None:
        super().__init__(database, collection, document)
        self._max_age = max_age
        self._recent: dict[UUID, tuple[float, D | None]] = {}

    async def get(self, id_: UUID) -> D | None:
        """Return the document, or None. Raises PyMongoError when the store is away."""
        asked = time.monotonic()
        read, document = self._recent.get(id_, (-math.inf, None))
        if asked - read < self._max_age:
            return document
        document = await super().get(id_)
        if len(self._recent) >= _REMEMBERED:
            self._recent.clear()
        self._recent[id_] = asked, document
        return document
