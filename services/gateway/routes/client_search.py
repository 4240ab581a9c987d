"""Lists of clients: in any order that an index has, searched by beginnings of terms.

One word bounds the scan of the index, and the clients found are filtered by the others. MongoDB
scans for the word that is first in the query: it should be the rarest.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, get_args

from bson.regex import Regex
from litestar import Response
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.crm import Stage
from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.pagination import ClientSort, list_page, sort_order
from services.gateway.read_models.documents import (
    CASE_INSENSITIVE,
    CLIENT_ORDERS,
    SEARCH,
    client_index,
    index_name,
)
from services.gateway.read_models.index_counts import count, count_in
from services.gateway.read_models.schemas.clients import Client
from services.gateway.read_models.search import query_terms

MAX_WORDS = 5
# How far several words are counted to find the rarest: the second limit if all exceed the first.
COUNT_LIMITS = (500, 10_000)
# Up to so many matches, reading and sorting all is faster than filtering the list in its order;
# for several words, which match less often, up to more.
FEW_WITH_ONE, FEW_WITH_SEVERAL = 2_000, 5_000


async def clients_of(
    request: ApiRequest,
    stages: list[Stage] | None,
    q: str | None,
    sort: ClientSort,
    page: int,
    limit: int,
) -> Response[list[Client]]:
    """Return a page of the agent's clients that match."""
    documents = context_of(request).database["clients"]
    every = list(get_args(Stage))
    where: Raw = {"agent_id": request.user.agent_id, "stage": {"$in": stages or every}}
    field = sort.removeprefix("-")
    options: dict[str, Any] = {"collation": CASE_INSENSITIVE} if field == "name" else {}
    total: int | Callable[[], Awaitable[int]]
    words = query_terms(q or "")[:MAX_WORDS]
    if not words and q and not q.isspace():
        # Signs alone, which nothing is found by.
        words = [()]
    if words:
        begins, rarest = await _rarest_first(documents, where["agent_id"], words)
        few = rarest < (FEW_WITH_ONE if len(words) == 1 else FEW_WITH_SEVERAL)
        if few:
            options["hint"] = SEARCH
        # A client with search terms has a stage: without that condition, the index alone counts.
        staged = where if stages else {"agent_id": where["agent_id"]}
        known = few and len(words) == 1 and not stages
        total = rarest if known else partial(count, documents, staged | begins, hint=SEARCH)
        where |= begins
    else:
        total = partial(count_in, documents, where, "stage", every)
        # With few clients MongoDB would sort them in memory, and remember that for the many.
        options["hint"] = index_name(client_index(field))
    by = sort_order(sort, CLIENT_ORDERS[field])
    return await list_page(request, documents, where, by, Client, page, limit, total, **options)


def begins_with(terms: Sequence[str]) -> Raw:
    """Return the query for one of the beginnings; only for a single one the index alone counts."""
    patterns = [f"^{re.escape(term)}" for term in terms]
    if len(patterns) == 1:
        return {"search": {"$regex": patterns[0]}}
    # Python's own patterns are sent with a flag, with which MongoDB reads the whole index.
    return {"search": {"$in": [Regex(pattern) for pattern in patterns]}}


async def _rarest_first(
    documents: AsyncCollection[Raw], agent_id: object, words: Sequence[Sequence[str]]
) -> tuple[Raw, int]:
    """Return the query for clients with words that begin so, and how many have the rarest."""
    begins = [begins_with(terms) for terms in words]
    counts: list[int] = []
    for limit in (FEW_WITH_ONE,) if len(begins) == 1 else COUNT_LIMITS:
        counting = (
            count(documents, {"agent_id": agent_id} | one, hint=SEARCH, limit=limit)
            for one in begins
        )
        counts = await asyncio.gather(*counting)
        if min(counts) < limit:
            break
    counted = sorted(zip(counts, begins, strict=True), key=lambda pair: pair[0])
    return {"$and": [one for _, one in counted]}, counted[0][0]
