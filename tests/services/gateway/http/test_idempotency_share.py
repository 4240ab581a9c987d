"""How much is stored of what an agent posts under idempotency keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Database, apply_indexes, connect
from services.gateway.accounts.documents import IdempotencyDocument
from services.gateway.errors import TooManyRequests
from services.gateway.http import idempotency_share
from services.gateway.http.idempotency import IdempotencyMiddleware
from services.gateway.http.idempotency_share import DOCUMENT_BYTES, IdempotencyShare
from tests.servers import Server

AGENT, OTHER = uuid4(), uuid4()
DIGEST = b"d" * 32
RESPONSE = {"status": 200, "headers": [(b"a", b"b")], "body": b"x" * 998}
SHARE = 20_000


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency_share, "SHARE_BYTES", SHARE)


@pytest.fixture
async def database(mongodb_server: Server) -> AsyncIterator[Database]:
    """A database for one test."""
    name = f"test_{uuid4().hex[:12]}"
    await apply_indexes(mongodb_server.address, name, [IdempotencyDocument])
    async with connect(mongodb_server.address) as client:
        yield client[name]
        await client.drop_database(name)


async def post(replica: IdempotencyMiddleware, agent_id: UUID, key: str) -> None:
    """Do what the middleware does before and after a request."""
    id_ = f"{agent_id}:{key}"
    await replica._claim(id_, agent_id, DIGEST)
    await replica._store_response(id_, agent_id, RESPONSE)


async def fill(replica: IdempotencyMiddleware, agent_id: UUID) -> int:
    """Post with new keys until one is refused; return how many were not."""
    for number in range(100):
        try:
            await post(replica, agent_id, f"{number}")
        except TooManyRequests:
            return number
    raise AssertionError("nothing was refused")


async def test_beyond_its_share_an_agent_s_new_keys_are_refused(database: Database) -> None:
    replica = IdempotencyMiddleware(database)
    number = await fill(replica, AGENT)
    assert 0 < number < SHARE / DOCUMENT_BYTES
    stored = await database["idempotency"].find().to_list()
    assert SHARE - 2 * DOCUMENT_BYTES <= sum(row["size"] for row in stored) <= SHARE
    # Another replica counts what the first one has stored.
    with pytest.raises(TooManyRequests) as refused:
        await post(IdempotencyMiddleware(database), AGENT, "new")
    assert 0 < refused.value.seconds <= timedelta(hours=24).total_seconds()
    # A key that is known is answered as before, and other agents have shares of their own.
    known = await replica._claim(f"{AGENT}:0", AGENT, DIGEST)
    assert known["answer"]["body"] == RESPONSE["body"]
    assert await fill(replica, OTHER) == number


async def test_what_expires_makes_room(database: Database) -> None:
    await fill(IdempotencyMiddleware(database), AGENT)
    await database["idempotency"].delete_many({})
    await post(IdempotencyMiddleware(database), AGENT, "new")


async def test_a_repeat_takes_nothing_of_the_share(database: Database) -> None:
    replica = IdempotencyMiddleware(database)
    for _ in range(100):
        await replica._claim(f"{AGENT}:same", AGENT, DIGEST)
    await post(replica, AGENT, "another")


async def test_the_sizes_are_added_up_from_the_index_alone(database: Database) -> None:
    now = datetime.now(UTC)
    documents = database["idempotency"]
    await documents.insert_many(
        {"_id": f"{n}", "agent_id": AGENT, "size": 10, "created_at": now} for n in range(100)
    )
    assert await IdempotencyShare(database)._read(AGENT) == 1000
    plan = await database.command(
        "explain",
        {
            "aggregate": "idempotency",
            "pipeline": idempotency_share.sum_of_sizes(AGENT),
            "cursor": {},
        },
        verbosity="executionStats",
        codec_options=database.codec_options,
    )
    assert "'totalDocsExamined': 0" in str(plan)
