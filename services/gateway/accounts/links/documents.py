"""Links that were asked for, and registrations until their address is confirmed."""

from typing import ClassVar

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
