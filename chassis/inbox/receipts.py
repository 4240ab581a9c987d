"""Receipts: the answers to commands that changed nothing, and so left no commit.

Without them a redelivery would be decided again, and a command that was refused, or had nothing to
do, could take effect later, against the answer that its sender got. A command that changed
something needs none: its commit shows that it was handled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

from beanie import Document
from pymongo import IndexModel, UpdateOne

from chassis.domain.errors import Refused
from chassis.mongo.client import Database, Raw
from contracts.catalogue import COMMANDS_KEPT
from contracts.replies import RejectionKind


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is in the log, or there was nothing to do; the stream is at `version`."""

    stream: str
    version: int


# Any other exception is a bug.
Outcome = Done | Refused | Exception


Key = tuple[UUID, str]
# Longer than Kafka keeps a command that could be redelivered.
RETENTION = COMMANDS_KEPT + timedelta(days=1)


class ReceiptDocument(Document):
    """The answer to one command about one stream: the version it found, or the refusal."""

    id: str  # type: ignore[assignment]
    at: datetime
    version: int | None = None
    kind: RejectionKind | None = None
    reason: str | None = None
    field: str | None = None

    class Settings:
        name = "receipts"
        indexes: ClassVar = [
            IndexModel([("at", 1)], name="kept", expireAfterSeconds=int(RETENTION.total_seconds()))
        ]


class Receipts:
    """The receipts of a service."""

    def __init__(self, database: Database) -> None:
        self._collection = database[ReceiptDocument.Settings.name]

    async def known(self, keys: Iterable[Key]) -> dict[Key, Done | Refused]:
        """Return the answers that were stored before, by cause and stream."""
        wanted = {_id(key): key for key in keys}
        if not wanted:
            return {}
        found = self._collection.find({"_id": {"$in": list(wanted)}})
        return {(key := wanted[raw["_id"]]): _answer(key, raw) async for raw in found}

    async def keep(self, answers: Mapping[Key, Done | Refused]) -> None:
        """Store answers; the first for a key stays."""
        if not answers:
            return
        now = datetime.now(UTC)
        await self._collection.bulk_write(
            [
                UpdateOne({"_id": _id(key)}, {"$setOnInsert": _raw(answer, now)}, upsert=True)
                for key, answer in answers.items()
            ],
            ordered=False,
        )


def _id(key: Key) -> str:
    return f"{key[0]}@{key[1]}"


def _raw(answer: Done | Refused, now: datetime) -> Raw:
    if isinstance(answer, Done):
        return {"at": now, "version": answer.version}
    return {"at": now, "kind": answer.kind, "reason": answer.reason, "field": answer.field}


def _answer(key: Key, raw: Raw) -> Done | Refused:
    if "version" in raw:
        return Done(key[1], raw["version"])
    return Refused(raw["reason"], field=raw["field"], kind=raw["kind"])
