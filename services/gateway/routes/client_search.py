"""Lists of clients: in any order that an index has, searched by beginnings of terms.

One word bounds the scan of the index, and the clients found are filtered by the others. MongoDB
scans for the word that is first in the query: it should be the rarest.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple, get_args
from uuid import UUID

from bson.regex import Regex
from litestar import Response
from litestar.exceptions import ValidationException
from litestar.params import Parameter
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.crm import PropertyType, Stage
from contracts.mailer import SuppressionReason
from services.gateway.http.context import ApiRequest, context_of, visible_to_caller
from services.gateway.http.cursors import CURSOR
from services.gateway.http.pagination import ClientSort, Total, list_page, sort_order
from services.gateway.read_models.documents import (
    CASE_INSENSITIVE,
    CLIENT_ORDERS,
    SEARCH,
    client_index,
    index_name,
)
from services.gateway.read_models.index_counts import count, count_by_value, count_in
from services.gateway.read_models.list_rows import complete_clients
from services.gateway.read_models.schemas.clients import ClientCounts, ListedClient
from services.gateway.read_models.search import LONGEST_QUERY, NO_NUL, query_terms

MAX_WORDS = 5
# A word's matches, and a search's total, are counted so far: more takes longer than reading a page.
COUNTED_TO = 5_000
# Up to so many matches, reading all is faster than filtering the list in its order; where few of
# the list match, with several words or by name (one name's are together), up to COUNTED_TO.
FEW = 2_000
# How far several words are counted first: one of them is often rare.
RARE = 500
LAST_SIGN = "\U0010ffff"
# Of so many clients follow-ups or emails are listed.
MOST_CLIENTS = 1_000
_STAGES = get_args(Stage)
_BY_STAGE = index_name(client_index("created_at"))
Search = Annotated[str | None, Parameter(max_length=LONGEST_QUERY, pattern=NO_NUL)]


class ClientFilter(NamedTuple):
    """What a list of clients is narrowed by; None is no condition."""

    q: str | None
    stage: list[Stage] | None = None
    property_type: list[PropertyType] | None = None
    email_status: list[SuppressionReason] | None = None
    plan_paused: bool | None = None

    @property
    def words(self) -> list[tuple[str, ...]]:
        """The words to search for, each as the terms that it may be the beginning of."""
        words = query_terms(self.q or "")[:MAX_WORDS]
        # Of signs alone nothing is found.
        return [()] if not words and self.q and not self.q.isspace() else words

    @property
    def conditions(self) -> Raw:
        """The query for all but the words and the stage."""
        where: Raw = {}
        if self.property_type:
            where["property_type"] = {"$in": self.property_type}
        if self.email_status:
            where["email_status"] = {"$in": self.email_status}
        if self.plan_paused is not None:
            where["plan_paused"] = True if self.plan_paused else {"$ne": True}
        return where


async def clients_of(
    request: ApiRequest, which: ClientFilter, sort: ClientSort, page: int, limit: int
) -> Response[list[ListedClient]]:
    """Return a page of the agent's clients that match."""
    documents = context_of(request).database["clients"]
    conditions, words = which.conditions, which.words
    where: Raw = {"agent_id": request.user.agent_id, "stage": {"$in": which.stage or list(_STAGES)}}
    where |= conditions
    field = sort.removeprefix("-")
    options: dict[str, Any] = {"collation": CASE_INSENSITIVE} if field == "name" else {}
    by = sort_order(sort, CLIENT_ORDERS[field])
    total: Total
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
            if not which.stage and not conditions:
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
        total = partial(count_in, documents, where, "stage", _STAGES, hint=_BY_STAGE)
        # With few clients MongoDB would sort them in memory, and remember that for the many.
        options["hint"] = index_name(client_index(field))
    return await list_page(
        request,
        documents,
        where,
        by,
        ListedClient,
        page,
        limit,
        total,
        counted_to,
        complete_clients,
        **options,
    )


async def selected(
    documents: AsyncCollection[Raw], agent_id: UUID, which: ClientFilter
) -> tuple[Raw, str]:
    """Return the query for the clients that match, in no order, and the index that serves it."""
    where: Raw = {"agent_id": agent_id, "stage": {"$in": which.stage or list(_STAGES)}}
    where |= which.conditions
    if not which.words:
        return where, _BY_STAGE
    begins, _ = await _rarest_first(documents, agent_id, which.words, begins_with)
    return where | begins, SEARCH


async def count_clients(request: ApiRequest, which: ClientFilter) -> ClientCounts:
    """Count the agent's clients that match by stage, of a search at most COUNTED_TO of them."""
    documents = context_of(request).database["clients"]
    where, hint = await selected(documents, request.user.agent_id, which)
    if which.words:
        found = documents.find(where, ["stage"], hint=hint).limit(COUNTED_TO)
        counts = Counter([row["stage"] async for row in found])
    else:
        counts = Counter(await count_by_value(documents, where, "stage", _STAGES, hint=hint))
    return ClientCounts(total=counts.total(), by_stage={stage: counts[stage] for stage in _STAGES})


async def of_clients(request: ApiRequest, client_id: UUID | None, q: str | None) -> Raw:
    """Return the query for what is of the client, or of the agent's clients that `q` finds.

    Raises ValidationException when it finds more than MOST_CLIENTS, or for all agents.
    """
    which = ClientFilter(q)
    if not which.words:
        return {"client_id": client_id} if client_id else {}
    visible = visible_to_caller(request)
    if not visible:
        raise _refused("searches one agent's clients: filter by client_id here")
    documents = context_of(request).database["clients"]
    where, hint = await selected(documents, visible["agent_id"], which)
    if client_id:
        where["_id"] = client_id
    found = await documents.find(where, ["_id"], hint=hint).limit(MOST_CLIENTS + 1).to_list()
    if len(found) > MOST_CLIENTS:
        raise _refused(f"finds more than {MOST_CLIENTS} clients: add another word")
    return {"client_id": {"$in": [client["_id"] for client in found]}}


def hint_of_clients(where: Raw, index: Mapping[str, int]) -> dict[str, Any]:
    """Return the option to read what is of clients that were searched for by their index."""
    return {"hint": index_name(index)} if isinstance(where.get("client_id"), dict) else {}


def _refused(reason: str) -> ValidationException:
    return ValidationException(extra=[{"key": "q", "message": reason}])


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
