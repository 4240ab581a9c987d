"""Credentials: in this database only, never published, and untouched by a replay."""

from datetime import timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from beanie import Document
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from chassis.mongo.client import Raw, UuidDocument
from contracts.addresses import keys_of
from contracts.crm import AgentProfile
from contracts.message import Time
from services.gateway.accounts.caller import Role, Scope

IDEMPOTENCY_RETENTION = timedelta(hours=24)


class SecondFactor(BaseModel):
    """A second factor in use: TOTP (RFC 6238), and what may stand for one of its codes.

    `last_step` is the time step of the last code that was accepted; `recovery` holds the SHA-256 of
    each unused recovery code.
    """

    secret: str
    last_step: int
    recovery: list[bytes]


class AccountDocument(UuidDocument):
    """The account of an agent; its id is the agent's.

    `email` is the canonical address if `canonical` is set; up to 0.1.0 it was in folded case.
    `password` is an argon2 hash. `unregistered` is the profile while crm has
    not registered it; `activation_unsettled` is set while crm has to be told of `active`.

    Sessions and keys of other versions than the account's have ended: one write ends them all.
    `kept_session` is the one that goes on.
    """

    email: str
    canonical: bool | None = None
    password: str
    role: Role = "agent"
    active: bool = True
    activation_changed_at: Time | None = None
    activation_unsettled: bool | None = None
    unregistered: AgentProfile | None = None
    created_at: Time
    sessions_version: int = 0
    kept_session: UUID | None = None
    keys_version: int = 0
    second_factor: SecondFactor | None = None
    unconfirmed_secret: str | None = None

    def has_session(self, session: "SessionDocument") -> bool:
        """Return whether the session is this account's, and no later change has ended it."""
        current = session.version == self.sessions_version or session.id == self.kept_session
        return current and session.agent_id == self.id

    def has_key(self, key: "ApiKeyDocument") -> bool:
        """Return whether the key is this account's, and no later change has revoked it."""
        return key.version == self.keys_version and key.agent_id == self.id

    class Settings:
        name = "accounts"
        indexes: ClassVar = [
            IndexModel([("email", ASCENDING)], name="unique_login", unique=True),
            IndexModel([("created_at", -1), ("_id", 1)]),
            IndexModel([("activation_unsettled", ASCENDING)], name="unsettled", sparse=True),
            IndexModel(
                [("activation_changed_at", ASCENDING)],
                name="deactivated",
                partialFilterExpression={"active": False},
            ),
        ]


class ExchangedToken(BaseModel):
    """A refresh token that was exchanged, and what it was exchanged for, as SHA-256."""

    token: bytes
    successor: bytes
    until: Time


def of_login(email: str) -> Raw:
    """Return the filter of the account with this address, also of one that 0.1.0 has stored."""
    canonical, *older = keys_of(email)
    if not older:
        return {"email": canonical}
    return {"$or": [{"email": canonical}, {"email": {"$in": older}, "canonical": None}]}


class SessionDocument(UuidDocument):
    """A session: a family of refresh tokens of which the latest is valid, or a browser's one token.

    `current` is the SHA-256 of the latest one's secret, `spent` are those of the last before it,
    `exchanged` the few that are still good for the same successor. `user_agent` is the header of
    the log-in, by which its agent knows it again.
    """

    agent_id: UUID
    in_browser: Literal[True] | None = None
    version: int = 0
    began_at: Time | None = None
    last_used_at: Time | None = None
    user_agent: str | None = None
    current: bytes
    spent: list[bytes] = []
    exchanged: list[ExchangedToken] = []
    expires_at: Time

    class Settings:
        name = "sessions"
        indexes: ClassVar = [
            IndexModel([("agent_id", 1), ("began_at", -1), ("_id", 1)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ApiKeyDocument(UuidDocument):
    """An API key; `secret` is the SHA-256 of its secret.

    No two keys of an agent have the same `slot`, which limits their number.
    """

    agent_id: UUID
    version: int = 0
    slot: int | None = None
    name: str
    scopes: list[Scope]
    secret: bytes
    created_at: Time
    expires_at: Time | None = None
    last_used_at: Time | None = None

    class Settings:
        name = "api_keys"
        indexes: ClassVar = [
            IndexModel([("agent_id", 1), ("created_at", -1), ("_id", 1)]),
            IndexModel(
                [("agent_id", ASCENDING), ("slot", ASCENDING)],
                name="unique_slot",
                unique=True,
                partialFilterExpression={"slot": {"$exists": True}},
            ),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class AttemptsDocument(Document):
    """The number of attempts in a window of time; for limits that hold on all replicas."""

    id: str  # type: ignore[assignment]
    tries: int
    expires_at: Time

    class Settings:
        name = "attempts"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]


class KnownNetworkDocument(Document):
    """That an account was logged in to from a network; the id is a hash of the two."""

    id: str  # type: ignore[assignment]
    expires_at: Time

    class Settings:
        name = "known_networks"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]


class IdempotencyDocument(Document):
    """A request with an Idempotency-Key (`<agent>:<key>`), and its answer once there is one.

    `command_id` is the request's command, the same for every repeat of the request. `size` is what
    it takes, in bytes, of the agent's share. `about`: the ids of what the answer shows.
    """

    id: str  # type: ignore[assignment]
    agent_id: UUID | None = None
    size: int | None = None
    request: bytes
    command_id: UUID
    answer: dict[Literal["status", "headers", "body"], Any] | None = None
    about: list[str] | None = None
    created_at: Time

    class Settings:
        name = "idempotency"
        indexes: ClassVar = [
            IndexModel(
                [("created_at", ASCENDING)],
                expireAfterSeconds=int(IDEMPOTENCY_RETENTION.total_seconds()),
            ),
            # Enough to add an agent's sizes up without reading the documents.
            IndexModel([("agent_id", 1), ("created_at", 1), ("size", 1)]),
        ]
