"""Links that were asked for, registrations until their address is confirmed, links to log in."""

from typing import ClassVar
from uuid import UUID

from pymongo import ASCENDING, IndexModel

from chassis.mongo.client import UuidDocument
from contracts.crm import AgentProfile
from contracts.message import Time


class LinkRequestDocument(UuidDocument):
    """A link to be mailed to an address, stored the same whether an account has it or not.

    With `profile` and `password` (an argon2 hash) it is a registration; its id becomes the
    account's. `unsent` is set while the link has still to be mailed.
    """

    email: str
    profile: AgentProfile | None = None
    password: str | None = None
    unsent: bool | None = True
    expires_at: Time

    class Settings:
        name = "link_requests"
        indexes: ClassVar = [
            IndexModel([("unsent", ASCENDING)], sparse=True),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class LoginLinkDocument(UuidDocument):
    """A one-time link to log in; `secret` is the SHA-256 of its token's secret.

    `version` is the account's `sessions_version`: what ends its sessions ends its links.
    """

    agent_id: UUID
    version: int
    secret: bytes
    expires_at: Time

    class Settings:
        name = "login_links"
        indexes: ClassVar = [IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)]
