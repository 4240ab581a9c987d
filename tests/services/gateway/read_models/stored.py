"""An agent's documents in the views."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from chassis.mongo.client import Database


class Stored:
    """The documents of a new agent; `where` is the condition that they match."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.agent = uuid4()
        self.where = {"agent_id": self.agent}

    async def put(self, collection: str, **fields: Any) -> UUID:
        """Store a document; fields that are None are absent."""
        row = {"_id": uuid4(), **self.where, **fields}
        await self.database[collection].insert_one({k: v for k, v in row.items() if v is not None})
        id_: UUID = row["_id"]
        return id_

    async def task(self, status: str, scheduled_for: datetime, **fields: Any) -> UUID:
        """Store a follow-up, of a client that nothing is known of unless one is given."""
        return await self.put("tasks", status=status, scheduled_for=scheduled_for, **fields)
