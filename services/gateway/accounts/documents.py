"""Credentials: in this database only, never published, and untouched by a replay."""

from datetime import timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel

from chassis.mongo.client import UuidDocument
from contracts.crm import AgentProfile
from contracts.message import Time
from services.gateway.accounts.caller import Role, Scope

IDEMPOTENCY_RETENTION = timedelta(hours=24)


class AccountDocument(UuidDocument):
    """The account of an agent; its id is the agent's.

    `email` is in lower case; `password` an argon2 hash. `unregistered` is the profile while crm has
    not registered it; `activation_unsettled` is set while crm has to be told of `active`.
    """

    email: str
    password: str
    role: Role = "agent"
    active: bool = True
    activation_changed_at: Time | None = None
    activation_unsettled: bool | None = None
    unregistered: AgentProfile | None = None
    created_at: Time

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


class SessionDocument(UuidDocument):
    """A session: a family of refresh tokens of which only the latest is valid.

    `current` is the SHA-256 of the latest one's secret, `spent` are those of the last before it.
    """

    agent_id: UUID
    current: bytes
    spent: list[bytes] = []
    expires_at: Time

    class Settings:
        name = "sessions"
        indexes: ClassVar = [
            IndexModel([("agent_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ApiKeyDocument(UuidDocument):
    """An API key; `secret` is the SHA-256 of its secret."""

    agent_id: UUID
    name: str
    scopes: list[Scope]
    secret: bytes
    created_at: Time

    class Settings:
        name = "api_keys"
        indexes: ClassVar = [IndexModel([("agent_id", 1), ("created_at", -1), ("_id", 1)])]


class AttemptsDocument(Document):
    """The number of attempts in a window of time; for limits that hold on all replicas."""

    id: str  # type: ignore[assignment]
    tries: int
    expires_at: Time

    class Settings:
        name = "attempts"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]


class IdempotencyDocument(Document):
    """A request with an Idempotency-Key (`<agent>:<key>`), and its answer once there is one.

    `command_id` is the request's command, the same for every repeat of the request. `size` is what
    it takes, in bytes, of the agent's share.
    """

    id: str  # type: ignore[assignment]
    agent_id: UUID | None = None
    size: int | None = None
    request: bytes
    command_id: UUID
    answer: dict[Literal["status", "headers", "body"], Any] | None = None
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
