"""The last letters to a client, as composer's own log has them: no copy of them is kept."""

from typing import Protocol
from uuid import UUID

from chassis.eventlog.aggregate import commit_id
from chassis.eventlog.event_store import CommitDocument
from chassis.mongo.batch_loader import Batched
from chassis.mongo.client import Database
from contracts.composer import EmailComposed
from services.composer.documents import DRAFTS
from services.composer.writer import EarlierLetter

_LAST = 3


class EarlierLetters(Protocol):
    """Knows the letters that were composed for a client."""

    async def to(self, client_id: UUID, agent_id: UUID) -> list[EarlierLetter]:
        """Return the last three in this agent's name, the oldest first."""


class LettersInLog(Batched[list[EmailComposed]]):
    """Reads them from the log: a composed draft's last event is its letter."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._drafts = database[DRAFTS.collection]
        self._commits = database[CommitDocument.Settings.name]

    async def to(self, client_id: UUID, agent_id: UUID) -> list[EarlierLetter]:
        """Return the last three in this agent's name, the oldest first."""
        letters = await self.get(client_id) or []
        return [
            EarlierLetter(event.composed_at, event.personal.subject, event.personal.body)
            for event in letters
            if event.agent_id == agent_id
        ][-_LAST:]

    async def _find(self, ids: list[UUID]) -> dict[UUID, list[EmailComposed]]:
        """Return the letters to each client, the oldest first."""
        drafts = self._drafts.find(
            {"state.client_id": {"$in": ids}, "state.status": "composed"}, {"version": 1}
        )
        # The commit with the last version; nothing follows the letter in a draft's stream.
        commits = [commit_id(f"{DRAFTS.name}-{raw['_id']}", raw["version"]) async for raw in drafts]
        letters: dict[UUID, list[EmailComposed]] = {}
        if commits:
            async for commit in self._commits.find({"_id": {"$in": commits}}).sort("at", 1):
                event = EmailComposed.model_validate_json(commit["events"][-1]["data"])
                letters.setdefault(event.client_id, []).append(event)
        return letters
