"""Commands that were answered with 202: stored for a day, with their replies once those come."""

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
from services.gateway.read_models.documents import COMMAND_RETENTION, CommandDocument


@dataclass(frozen=True, eq=False)
class SentCommand:
    """An agent's durable command, the client it concerns, and its future reply."""

    id: UUID
    agent_id: UUID
    client_id: UUID | None
    reply: asyncio.Future[Reply]


class PendingCommands:
    """The commands that `GET /api/commands/{id}` shows."""

    def __init__(self, database: Database, replies: Replies) -> None:
        self._collection = database[CommandDocument.Settings.name]
        self._replies = replies
        self._writing: set[asyncio.Task[Any]] = set()

    async def add(self, commands: Sequence[SentCommand]) -> None:
        """Store the commands as pending; their replies are stored when they come."""
        now = datetime.now(UTC)
        documents = [
            CommandDocument(id=c.id, agent_id=c.agent_id, client_id=c.client_id, created_at=now)
            for c in commands
        ]
        writes = [ReplaceOne({"_id": one.id}, view_raw(one), upsert=True) for one in documents]
        await self._collection.bulk_write(writes, ordered=False)
        loop = asyncio.get_running_loop()
        for command in commands:
            loop.call_later(COMMAND_RETENTION.total_seconds(), self._replies.forget, command.id)
            command.reply.add_done_callback(partial(self._write, command.id))

    def _write(self, command_id: UUID, done: asyncio.Future[Reply]) -> None:
        reply = done.result()
        if isinstance(reply, CommandAccepted):
            outcome: dict[str, Any] = {"status": "accepted"}
        else:
            outcome = {
                "status": "rejected",
                **reply.model_dump(include={"kind", "reason", "field"}),
            }
        update = self._collection.update_one({"_id": command_id}, {"$set": outcome})
        writing = asyncio.create_task(update)
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
