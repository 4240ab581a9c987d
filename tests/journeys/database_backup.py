"""A backup of the services' databases, taken while they run and restored later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, IndexModel

from chassis.mongo.client import database_name
from contracts.services import SERVICES
from tests.servers import Server

_BATCH = 1000


@dataclass
class _Collection:
    """The raw documents, and the indexes other than `_id`'s."""

    documents: list[RawBSONDocument]
    indexes: list[dict[str, Any]]


@dataclass
class Backup:
    """Copies of services' databases, each a snapshot, as a dump of a replica set is."""

    databases: dict[str, dict[str, _Collection]] = field(default_factory=dict)

    async def restore(self, mongodb: Server, *services: str) -> None:
        """Restore the services' databases (all, if none is named). The services must be stopped."""
        client: AsyncMongoClient[Any] = AsyncMongoClient(mongodb.address)
        async with client:
            for service in services or tuple(self.databases):
                database = client[database_name(service)]
                await client.drop_database(database.name)
                for name, copied in self.databases[service].items():
                    await database.create_collection(name)
                    if copied.indexes:
                        await database[name].create_indexes([_index(raw) for raw in copied.indexes])
                    for start in range(0, len(copied.documents), _BATCH):
                        await database[name].insert_many(copied.documents[start : start + _BATCH])


async def back_up(mongodb: Server, *services: str) -> Backup:
    """Copy the services' databases (all, if none is named); the services may be running."""
    backup = Backup()
    client: AsyncMongoClient[RawBSONDocument] = AsyncMongoClient(
        mongodb.address, document_class=RawBSONDocument
    )
    async with client:
        for service in services or SERVICES:
            database = client[database_name(service)]
            names = await database.list_collection_names()
            async with client.start_session(snapshot=True) as session:
                documents = {n: await database[n].find(session=session).to_list() for n in names}
            backup.databases[service] = {
                name: _Collection(documents[name], await _indexes(database[name])) for name in names
            }
    return backup


async def _indexes(collection: Any) -> list[dict[str, Any]]:
    found = [dict(raw) async for raw in await collection.list_indexes()]
    return [raw for raw in found if raw["name"] != "_id_"]


def _index(raw: Mapping[str, Any]) -> IndexModel:
    options = {name: value for name, value in raw.items() if name not in ("v", "key", "ns")}
    return IndexModel(list(raw["key"].items()), **options)
