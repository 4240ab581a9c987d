"""Which letters a letter follows, so that mail programs show a client's letters together."""

from uuid import UUID

from pydantic import BaseModel

from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Database
from contracts.message import Time

# More would only make the header longer: a mail program needs one that it has.
_MAX_FOLLOWED = 10


class SentLetter(BaseModel):
    """A letter that was sent to a client, after those that it follows (the oldest first)."""

    email_id: UUID
    follows: tuple[UUID, ...]
    started_at: Time

    def thread(self) -> tuple[UUID, ...]:
        """Return what the next letter follows: this one and the latest before it."""
        return (*self.follows, self.email_id)[-_MAX_FOLLOWED:]


class LastLetters(BatchLoader[SentLetter]):
    """By client: the last letter that was sent, of those that carry a Message-ID of ours."""

    def __init__(self, database: Database, collection: str) -> None:
        super().__init__(database, collection, SentLetter)

    async def thread_of(self, client_id: UUID) -> tuple[UUID, ...]:
        """Return the emails that a letter to the client follows, the last one at the end."""
        last = await self.get(client_id)
        return last.thread() if last else ()

    async def _find(self, ids: list[UUID]) -> dict[UUID, SentLetter]:
        sent = {
            "state.client_id": {"$in": ids},
            "state.status": "sent",
            "state.started_at": {"$exists": True},
        }
        fields = ("client_id", "email_id", "follows", "started_at")
        found = self._collection.find(sent, {f"state.{field}": 1 for field in fields})
        states = [raw["state"] async for raw in found]
        states.sort(key=lambda state: state["started_at"])
        return {state["client_id"]: SentLetter.model_validate(state) for state in states}
