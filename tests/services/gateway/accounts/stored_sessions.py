"""Sessions and accounts in the gateway's database, without a gateway."""

from datetime import UTC, datetime
from uuid import uuid4

from chassis.mongo.client import Database
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.sessions import Sessions
from services.gateway.settings import GatewaySettings

OLD, NEW = f"old:{'o' * 40}", f"new:{'n' * 40}"


def sessions_of(database: Database, keys: str = OLD, **fields: float) -> Sessions:
    settings = GatewaySettings(
        kafka_bootstrap_servers="k:1",
        mongodb_uri="mongodb://m",
        token_keys=keys,
        unsubscribe_keys=keys,
        **fields,  # type: ignore[arg-type]
    )
    return Sessions(settings, database)


async def an_account(database: Database) -> AccountDocument:
    id_ = uuid4()
    row = {"_id": id_, "email": id_.hex, "password": "", "created_at": datetime.now(UTC)}
    await database["accounts"].insert_one(row | {"role": "agent", "active": True})
    account: AccountDocument = AccountDocument.model_validate(row)
    return account
