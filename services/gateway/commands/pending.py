"""Commands that nobody waits for any longer: kept for a day, with their answers as they come."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from pymongo import ReplaceOne

from chassis.mongo.client import Database
from chassis.projections.views import view_raw
from contracts.replies import CommandAccepted
from services.gateway.commands.replies import Replies, Reply
from services.gateway.read_models.documents import COMMAND_KEPT, CommandDocument


@dataclass(frozen=True, eq=False)
class PendingCommand:
    """An agent's command that is durable, the client it is about, and the answer to come."""

    id: UUID
    agent_id: UUID
    client_id: UUID | None
    answer: asyncio.Future[Reply]


class PendingCommands:
    """What `GET /api/commands/{id}` shows."""

    def __init__(self, database: Database, answers: Replies) -> None:
        self._collection = database[CommandDocument.Settings.name]
        self._answers = answers
        self._writing: set[asyncio.Task[Any]] = set()

    async def keep(self, orders: Sequence[PendingCommand]) -> None:
        """Remember the commands, and write the answers down when they come."""
        now = datetime.now(UTC)
        kept = [
            CommandDocument(id=o.id, agent_id=o.agent_id, client_id=o.client_id, created_at=now)
            for o in orders
        ]
        writes = [ReplaceOne({"_id": one.id}, view_raw(one), upsert=True) for one in kept]
        await self._collection.bulk_write(writes, ordered=False)
        loop = asyncio.get_running_loop()
        for order in orders:
            loop.call_later(COMMAND_KEPT.total_seconds(), self._answers.forget, order.id)
            order.answer.add_done_callback(partial(self._write, order.id))

    def _write(self, command_id: UUID, done: asyncio.Future[Reply]) -> None:
        answer = done.result()
        if isinstance(answer, CommandAccepted):
            settled: dict[str, Any] = {"status": "accepted"}
        else:
            settled = {
                "status": "rejected",
                **answer.model_dump(include={"kind", "reason", "field"}),
            }
        update = self._collection.update_one({"_id": command_id}, {"$set": settled})
        writing = asyncio.create_task(update)
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
