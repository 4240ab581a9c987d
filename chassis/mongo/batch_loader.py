"""Reading by id: what many workers ask for at the same moment is one query."""

import asyncio
from typing import Generic, TypeVar
from uuid import UUID

from beanie import Document

from chassis.mongo.client import Database

D = TypeVar("D", bound=Document)


class BatchLoader(Generic[D]):
    """Documents of one collection by id. Always reads the store, never a copy kept from before."""

    def __init__(self, database: Database, collection: str, document: type[D]) -> None:
        self._collection = database[collection]
        self._document = document
        self._asked: dict[UUID, asyncio.Future[D | None]] = {}
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, id_: UUID) -> D | None:
        """Read the document, or None. Raises PyMongoError when the store is away."""
        if not self._asked:
            asyncio.get_running_loop().call_soon(self._start)
        asked = self._asked.setdefault(id_, asyncio.get_running_loop().create_future())
        return await asyncio.shield(asked)

    def _start(self) -> None:
        asked, self._asked = self._asked, {}
        reading = asyncio.create_task(self._read(asked))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)

    async def _read(self, asked: dict[UUID, asyncio.Future[D | None]]) -> None:
        try:
            found = self._collection.find({"_id": {"$in": list(asked)}})
            documents = {raw["_id"]: self._document.model_validate(raw) async for raw in found}
        except Exception as error:  # noqa: BLE001 - raised where it was asked for
            for future in asked.values():
                future.set_exception(error)
        else:
            for id_, future in asked.items():
                future.set_result(documents.get(id_))
