"""Cursors: a list goes on after the last row, whatever is added or removed meanwhile."""

import base64
from itertools import product
from typing import Any
from uuid import UUID

import bson
import pytest
from litestar.exceptions import ValidationException

from chassis.mongo.client import connect
from services.gateway.http.cursors import Order, cursor_of, rows_after
from tests.servers import Server
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem

WORDS = (None, "b", "a", "b", None, "c", "a")
ORDERS: list[Order] = [
    [("word", way), ("number", other), ("_id", last)]
    for way, other, last in product((1, -1), repeat=3)
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
async def test_rows_come_in_order_each_once_also_equal_ones_and_those_without_the_field(
    mongodb_server: Server, order: Order
) -> None:
    rows: list[dict[str, Any]] = [
        {"_id": UUID(int=n), "number": n % 2} | ({"word": word} if word else {})
        for n, word in enumerate(WORDS)
    ]
    async with connect(mongodb_server.address) as client:
        documents = client["test_cursors"]["rows"]
        await documents.drop()
        await documents.insert_many(rows)
        wanted = await documents.find().sort(order).to_list()
        read = await documents.find().sort(order).limit(1).to_list()
        while len(read) <= len(rows):
            where = rows_after(
                cursor_of(read[-1], order, documents.codec_options), order, documents.codec_options
            )
            following = await documents.find(where).sort(order).limit(1).to_list()
            if not following:
                break
            read += following
        assert read == wanted


async def test_of_ten_by_five_each_is_read_once_while_one_comes_and_one_goes(api: Api) -> None:
    word = "cursor"
    added = [await api.add(name=f"{word} {n}") for n in range(10)]
    first = await api.http.get(f"/api/clients?q={word}&limit=5")
    read = [client["_id"] for client in first.json()]
    await api.add(name=f"{word} new")
    assert (await api.http.delete(f"/api/clients/{read[2]}")).status_code == 204
    second = await api.http.get(first.links["next"]["url"])
    read += [client["_id"] for client in second.json()]
    assert read == added[::-1]
    assert "next" not in second.links
    assert second.headers["x-total-count"] == "10"


def encoded(values: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(bson.encode(values)).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        *("x", "ä", "===", "AAAA", encoded({}), encoded({"name": "a"})),
        *(encoded({"_id": 1, "created_at": "a"}), encoded({"name": {"$gt": ""}, "_id": 1})),
        encoded({"name": bson.Regex("a"), "_id": 1}),
    ],
)
async def test_a_cursor_that_is_not_of_this_list_is_refused(api: Api, cursor: str) -> None:
    response = await api.http.get("/api/clients", params={"sort": "name", "cursor": cursor})
    assert "begin without it" in problem(response, 422, "cursor")


def test_a_cursor_of_another_order_is_refused() -> None:
    options = bson.codec_options.DEFAULT_CODEC_OPTIONS
    cursor = cursor_of({"name": "a", "_id": 1}, [("name", 1), ("_id", 1)], options)
    with pytest.raises(ValidationException):
        rows_after(cursor, [("created_at", 1), ("_id", 1)], options)
