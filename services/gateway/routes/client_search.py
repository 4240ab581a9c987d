"""Lists of clients: in any order that an index has, and found by the beginnings of words.

One word bounds what is read of the index, and the clients found so are looked through for the
others. MongoDB takes the word that stands first: it should be the one that the fewest have.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Literal, get_args

from litestar import Response
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.crm import Stage
from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.pagination import list_page, sorted_by
from services.gateway.read_models.documents import (
    CLIENT_ORDERS,
    SEARCH,
    WHATEVER_CASE,
    client_index,
    name_of,
)
from services.gateway.read_models.index_counts import count, count_among
from services.gateway.read_models.projections import search_terms
from services.gateway.read_models.schemas import Client

MAX_WORDS = 5
# Several words are counted so far to tell which is the rarest: first a little, then further if all
# of them are common.
FIRST_LOOK, COMMON = 500, 10_000
# Fewer are read and sorted sooner than a page of them is met in the list's order; who has several
# words is met later.
FEW_WITH_ONE, FEW_WITH_SEVERAL = 2_000, 5_000

ClientSort = Literal[
    "-created_at", "created_at", "name", "-name", "-last_contacted", "last_contacted"
]


async def clients_of(
    request: ApiRequest,
    stages: list[Stage] | None,
    q: str | None,
    sort: ClientSort,
    page: int,
    limit: int,
) -> Response[list[Client]]:
    """Answer a page of the agent's clients that match."""
    documents = context_of(request).database["clients"]
    every = list(get_args(Stage))
    where: Raw = {"agent_id": request.user.agent_id, "stage": {"$in": stages or every}}
    field = sort.removeprefix("-")
    options: dict[str, Any] = {"collation": WHATEVER_CASE} if field == "name" else {}
    total: int | Callable[[], Awaitable[int]]
    if wanted := search_terms(q)[:MAX_WORDS]:
        begins, rarest = await _rarest_first(documents, where["agent_id"], wanted)
        few = rarest < (FEW_WITH_ONE if len(wanted) == 1 else FEW_WITH_SEVERAL)
        if few:
            options["hint"] = SEARCH
        # What has words has a stage: without that condition, the index alone tells how many.
        staged = where if stages else {"agent_id": where["agent_id"]}
        known = few and len(wanted) == 1 and not stages
        total = rarest if known else partial(count, documents, staged | begins, hint=SEARCH)
        where |= begins
    else:
        total = partial(count_among, documents, where, "stage", every)
        # With few clients MongoDB would sort them in memory, and remember that for the many.
        options["hint"] = name_of(client_index(field))
    by = sorted_by(sort, CLIENT_ORDERS[field])
    return await list_page(request, documents, where, by, Client, page, limit, total, **options)


async def _rarest_first(
    documents: AsyncCollection[Raw], agent_id: object, wanted: Sequence[str]
) -> tuple[Raw, int]:
    """Give the condition for clients with words that begin so, and how many have the first."""
    begins: list[Raw] = [{"search": {"$regex": f"^{re.escape(word)}"}} for word in wanted]
    counts: list[int] = []
    for limit in (FEW_WITH_ONE,) if len(begins) == 1 else (FIRST_LOOK, COMMON):
        looks = (
            count(documents, {"agent_id": agent_id} | one, hint=SEARCH, limit=limit)
            for one in begins
        )
        counts = await asyncio.gather(*looks)
        if min(counts) < limit:
            break
    counted = sorted(zip(counts, begins, strict=True), key=lambda pair: pair[0])
    return {"$and": [one for _, one in counted]}, counted[0][0]
