"""A search reads no more of its index than what begins with its words."""

from uuid import uuid4

import pytest

from chassis.mongo.client import apply_indexes, connect
from services.gateway.documents import STORE
from services.gateway.read_models.documents import SEARCH
from services.gateway.read_models.search import client_terms, query_terms
from services.gateway.routes.client_search import begins_with
from tests.servers import Server

MANY, AMONG_THEM = 300, 42


@pytest.mark.parametrize("text", ["maria42", "mail42.example", "555-012-0042", "+1 555 0120042"])
async def test_whatever_is_searched_for_only_what_begins_so_is_read(
    mongodb_server: Server, text: str
) -> None:
    name, agent = f"searched_{uuid4().hex[:8]}", uuid4()
    await apply_indexes(mongodb_server.address, name, STORE.documents)
    async with connect(mongodb_server.address) as client:
        clients = client[name]["clients"]
        await clients.insert_many(
            {
                "_id": uuid4(),
                "agent_id": agent,
                "number": number,
                "stage": "lead",
                "search": client_terms(
                    f"Maria{number} Lopez",
                    f"maria@mail{number}.example",
                    None,
                    f"+1 555 012 {number:04}",
                ),
            }
            for number in range(MANY)
        )
        [terms] = query_terms(text)
        found = clients.find({"agent_id": agent} | begins_with(terms)).hint(SEARCH)
        stats = (await found.explain())["executionStats"]
        assert [row["number"] async for row in found] == [AMONG_THEM]
        assert stats["totalKeysExamined"] <= 10
        await client.drop_database(name)
