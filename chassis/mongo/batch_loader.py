"""Reading documents by id, batched: what workers ask for at the same moment is one query."""

import asyncio
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.client import Database

D = TypeVar("D", bound=BaseModel)


class BatchLoader(Generic[D]):
    """Documents of one collection by id. Always reads the store: nothing is cached."""

    def __init__(self, database: Database, collection: str, document: type[D]) -> None:
        self._collection = database[collection]
        self._document = document
        self._pending: dict[UUID, asyncio.Future[D | None]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, id_: UUID) -> D | None:
        """Read the document, or None. Raises PyMongoError when the store is away."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._start)
        future = self._pending.setdefault(id_, asyncio.get_running_loop().create_future())
        return await asyncio.shield(future)

    def _start(self) -> None:
        pending, self._pending = self._pending, {}
        reading = asyncio.create_task(self._read(pending))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _read(self, pending: dict[UUID, asyncio.Future[D | None]]) -> None:
        try:
            documents = await self._find(list(pending))
        except Exception as error:  # noqa: BLE001 - raised by `get`
            for future in pending.values():
                future.set_exception(error)
        else:
            for id_, future in pending.items():
                future.set_result(documents.get(id_))

    async def _find(self, ids: list[UUID]) -> dict[UUID, D]:
        found = self._collection.find({"_id": {"$in": ids}})
        return {raw["_id"]: self._document.model_validate(raw) async for raw in found}
