"""Sessions: begun by a log-in, prolonged by use, ended by time, theft or their agent."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import structlog
from pymongo import ReturnDocument

from chassis.mongo.client import Database, Raw
from chassis.projections.views import view_raw
from services.gateway.accounts.documents import (
    AccountDocument,
    ExchangedToken,
    SessionDocument,
)
from services.gateway.accounts.tokens import AccessTokens, OpaqueToken
from services.gateway.errors import InvalidCredentials
from services.gateway.settings import GatewaySettings

REFRESH, BROWSER = "rt", "bs"
# How long an exchanged refresh token is still good for the same successor: two tabs of a browser
# refresh at once, and an answer may be lost.
GRACE = timedelta(seconds=30)
# How many exchanged tokens of a session are stored: to detect their reuse, and for the grace.
MAX_SPENT, MAX_IN_GRACE = 200, 10
# A browser's session is prolonged when it is used, at most so often: so exact is `last_used_at`.
PROLONGED_EVERY = timedelta(hours=1)
MAX_USER_AGENT = 300

log = structlog.get_logger(__name__)


class Tokens(NamedTuple):
    """The tokens of a session; the access token expires after `expires_in` seconds."""

    access: str
    refresh: str
    expires_in: int


class Sessions:
    """The sessions of all agents.

    A refresh token's successor follows from it and a signing key, so that every gateway makes the
    same one and none is stored. A browser keeps one token, in a cookie that no script can read.
    """

    def __init__(self, settings: GatewaySettings, database: Database) -> None:
        self.access = AccessTokens(
            settings.signing_keys, settings.public_url, settings.access_token_life
        )
        self._keys = tuple(settings.signing_keys.values())
        self._accounts = database[AccountDocument.Settings.name]
        self._sessions = database[SessionDocument.Settings.name]
        self._refresh_life = timedelta(days=settings.refresh_token_days)
        self._session_life = timedelta(days=settings.session_days)

    async def begin(self, account: AccountDocument, user_agent: str) -> Tokens:
        """Begin a session of the account, as it was read when its password was verified."""
        return self._tokens(account.id, await self._begin(account, REFRESH, user_agent))

    async def begin_in_browser(self, account: AccountDocument, user_agent: str) -> OpaqueToken:
        """Begin a session of the account in a browser; return its token."""
        return await self._begin(account, BROWSER, user_agent)

    async def _begin(self, account: AccountDocument, kind: str, user_agent: str) -> OpaqueToken:
        token, now = OpaqueToken.new(kind, uuid4()), datetime.now(UTC)
        session = SessionDocument(
            id=token.id,
            agent_id=account.id,
            in_browser=True if kind == BROWSER else None,
            version=account.sessions_version,
            began_at=now,
            last_used_at=now,
            user_agent=user_agent[:MAX_USER_AGENT],
            current=token.digest,
            expires_at=now + min(self._refresh_life, self._session_life),
        )
        await self._sessions.insert_one(view_raw(session))
        return token

    async def find(self, id_: UUID, agent_id: UUID) -> SessionDocument | None:
        """Return the agent's session, if it has not ended by time."""
        own = {"_id": id_, "agent_id": agent_id}
        found = await self._sessions.find_one(own | self._alive(datetime.now(UTC)))
        return SessionDocument.model_validate(found) if found else None

    async def find_in_browser(self, token: OpaqueToken) -> SessionDocument | None:
        """Return the session of a browser's token, if it has not ended; use prolongs it."""
        now = datetime.now(UTC)
        own = {"_id": token.id, "current": token.digest, "in_browser": True}
        found = await self._sessions.find_one(own | self._alive(now))
        if found is None:
            return None
        session: SessionDocument = SessionDocument.model_validate(found)
        began_at = session.began_at or now
        until = min(now + self._refresh_life, began_at + self._session_life)
        if now - (session.last_used_at or began_at) >= PROLONGED_EVERY:
            prolonged = {"expires_at": until, "last_used_at": now}
            await self._sessions.update_one(own, {"$max": prolonged})
        return session

    def of_account(self, account: AccountDocument) -> Raw:
        """Return the query for the sessions of the account that have not ended."""
        current = [{"version": account.sessions_version}, {"_id": account.kept_session}]
        return {"agent_id": account.id, "$or": current, **self._alive(datetime.now(UTC))}

    async def refresh(self, token: str) -> Tokens:
        """Exchange a refresh token. One that was exchanged long ago ends its session: stolen.

        Raises InvalidCredentials.
        """
        if (presented := OpaqueToken.parse(token, REFRESH)) is None:
            raise InvalidCredentials
        now = datetime.now(UTC)
        session, successor = await self._exchange(presented, now)
        if session is None:
            session, successor = await self._exchanged(presented, now)
        if session is None:
            await self._end_if_spent(presented)
            raise InvalidCredentials
        found = await self._accounts.find_one({"_id": session.agent_id, "active": True})
        if found is None or not AccountDocument.model_validate(found).has_session(session):
            raise InvalidCredentials
        return self._tokens(session.agent_id, successor)

    async def end(self, id_: UUID, agent_id: UUID) -> bool:
        """End the agent's session; return False when there is no such session."""
        ended = await self._sessions.delete_one({"_id": id_, "agent_id": agent_id})
        return bool(ended.deleted_count)

    async def end_all(self, agent_id: UUID, kept: UUID | None) -> None:
        """End all sessions of the agent but the kept."""
        await self._sessions.delete_many({"agent_id": agent_id, "_id": {"$ne": kept}})

    async def _exchange(
        self, presented: OpaqueToken, now: datetime
    ) -> tuple[SessionDocument | None, OpaqueToken]:
        """Replace the session's current token by its successor; None when it is not current."""
        successor = presented.successor(self._keys[0])
        entry = ExchangedToken(
            token=presented.digest, successor=successor.digest, until=now + GRACE
        )
        began = {"$ifNull": ["$began_at", now]}
        lives_until = {"$add": [began, self._session_life / timedelta(milliseconds=1)]}
        change = {
            "began_at": began,
            "last_used_at": now,
            "current": successor.digest,
            "spent": _appended("spent", presented.digest, MAX_SPENT),
            "exchanged": _appended("exchanged", entry.model_dump(), MAX_IN_GRACE),
            "expires_at": {"$min": [now + self._refresh_life, lives_until]},
        }
        found = await self._sessions.find_one_and_update(
            {
                "_id": presented.id,
                "current": presented.digest,
                "in_browser": None,
                **self._alive(now),
            },
            [{"$set": change}],
            return_document=ReturnDocument.AFTER,
        )
        return SessionDocument.model_validate(found) if found else None, successor

    async def _exchanged(
        self, presented: OpaqueToken, now: datetime
    ) -> tuple[SessionDocument | None, OpaqueToken]:
        """Return the successor that the token was exchanged for a moment ago; None otherwise."""
        entry = {"$elemMatch": {"token": presented.digest, "until": {"$gt": now}}}
        found = await self._sessions.find_one(
            {"_id": presented.id, "exchanged": entry, **self._alive(now)}
        )
        if found:
            session = SessionDocument.model_validate(found)
            known = {one.successor for one in session.exchanged if one.token == presented.digest}
            # Another gateway may sign with another key while keys are rotated.
            for successor in map(presented.successor, self._keys):
                if successor.digest in known:
                    return session, successor
        return None, presented

    async def _end_if_spent(self, presented: OpaqueToken) -> None:
        # A token that was never valid ends nothing: a session's id is not secret.
        ended = await self._sessions.delete_one({"_id": presented.id, "spent": presented.digest})
        if ended.deleted_count:
            log.warning("refresh_token_reused", session=str(presented.id))

    def _alive(self, now: datetime) -> Raw:
        """Return the query's condition for sessions that have not ended by time."""
        begun_too_long_ago = {"$lte": now - self._session_life}
        return {"expires_at": {"$gt": now}, "began_at": {"$not": begun_too_long_ago}}

    def _tokens(self, agent_id: UUID, refresh: OpaqueToken) -> Tokens:
        access = self.access.issue(agent_id, refresh.id)
        return Tokens(access, str(refresh), int(self.access.life.total_seconds()))


def _appended(field: str, value: object, most: int) -> Raw:
    """Return the expression for a list with one more entry, and not too many."""
    longer = {"$concatArrays": [{"$ifNull": [f"${field}", []]}, [value]]}
    return {"$slice": [longer, -most]}
