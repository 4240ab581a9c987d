"""Lists of clients: in any order that an index has, searched by beginnings of terms.

One word bounds the scan of the index, and the clients found are filtered by the others. MongoDB
scans for the word that is first in the query: it should be the rarest.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args

from bson.regex import Regex
from litestar import Response
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.crm import Stage
from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.cursors import CURSOR
from services.gateway.http.pagination import ClientSort, Total, list_page, sort_order
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
# A word's matches, and a search's total, are counted so far: more takes longer than reading a page.
COUNTED_TO = 5_000
# Up to so many matches, reading all is faster than filtering the list in its order; where few of
# the list match, with several words or by name (one name's are together), up to COUNTED_TO.
FEW = 2_000
# How far several words are counted first: one of them is often rare.
RARE = 500
LAST_SIGN = "\U0010ffff"


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
    by = sort_order(sort, CLIENT_ORDERS[field])
    total: Total
    words = query_terms(q or "")[:MAX_WORDS]
    if not words and q and not q.isspace():
        # Signs alone, which nothing is found by.
        words = [()]
    counted_to = COUNTED_TO if words else None
    if words:
        # Ranges have no bounds in the index under a collation, patterns have.
        matching = begins_with if len(words) == 1 or options else _in_range
        begins, rarest = await _rarest_first(documents, where["agent_id"], words, matching)
        where |= begins
        total = partial(count, documents, where, hint=SEARCH, limit=counted_to)
        if len(words) == 1:
            if rarest < (COUNTED_TO if field == "name" else FEW):
                options["hint"] = SEARCH
            if not stages:
                total = rarest
        elif rarest < COUNTED_TO:
            # Found once, for the page and the total.
            found = documents.find(where, ["_id"], hint=SEARCH, batch_size=COUNTED_TO, **options)
            ids = [one["_id"] for one in await found.sort(by).to_list()]
            total = len(ids)
            # A cursor may stand anywhere; without one, what follows the page is not read.
            read = ids if CURSOR in request.query_params else ids[: page * limit + 1]
            where, options["hint"] = {"_id": {"$in": read}}, "_id_"
    else:
        total = partial(count_in, documents, where, "stage", every)
        # With few clients MongoDB would sort them in memory, and remember that for the many.
        options["hint"] = index_name(client_index(field))
    return await list_page(
        request, documents, where, by, Client, page, limit, total, counted_to, **options
    )


def begins_with(terms: Sequence[str]) -> Raw:
    """Return the query for one of the beginnings; only for a single one the index alone counts."""
    patterns = [f"^{re.escape(term)}" for term in terms]
    if len(patterns) == 1:
        return {"search": {"$regex": patterns[0]}}
    # Python's own patterns are sent with a flag, with which MongoDB reads the whole index.
    return {"search": {"$in": [Regex(pattern) for pattern in patterns]}}


def _in_range(terms: Sequence[str]) -> Raw:
    """Return the same query, which documents are compared with faster; no index alone counts it."""
    ranges = [{"search": {"$elemMatch": {"$gte": one, "$lt": one + LAST_SIGN}}} for one in terms]
    return {"$or": ranges} if len(ranges) > 1 else ranges[0]


async def _rarest_first(
    documents: AsyncCollection[Raw],
    agent_id: object,
    words: Sequence[Sequence[str]],
    matching: Callable[[Sequence[str]], Raw],
) -> tuple[Raw, int]:
    """Return the query for clients with words that begin so, and how many have the rarest."""
    owned = {"agent_id": agent_id}
    counts: list[int] = []
    for limit in (COUNTED_TO,) if len(words) == 1 else (RARE, COUNTED_TO):
        counting = (
            count(documents, owned | begins_with(terms), hint=SEARCH, limit=limit)
            for terms in words
        )
        counts = await asyncio.gather(*counting)
        if min(counts) < limit:
            break
    counted = sorted(zip(counts, words, strict=True), key=lambda pair: pair[0])
    return {"$and": [matching(terms) for _, terms in counted]}, counted[0][0]
