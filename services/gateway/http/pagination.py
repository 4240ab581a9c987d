"""Lists: a page is a JSON array; its headers have the total and links to other pages (RFC 8288).

`next` has a cursor: it goes on after the last row of this page, so that no row is skipped or
repeated because others are added or removed meanwhile. `page` then only numbers the pages.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.params import Parameter
from pydantic import BaseModel
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.message import to_milliseconds
from services.gateway.http.context import ApiRequest, context_of, projection_of
from services.gateway.http.cursors import CURSOR, Order, cursor_of, rows_after
from services.gateway.http.etags import etag_response
from services.gateway.read_models.list_rows import Complete

Page = Annotated[int, Parameter(ge=1, le=1_000_000, description="from 1")]
Limit = Annotated[int, Parameter(ge=1, le=100, description="rows on a page")]
# Ascending, or with "-" descending.
ClientSort = Literal[
    "-created_at", "created_at", "name", "-name", "-last_contacted", "last_contacted"
]
TaskSort = Literal["scheduled_for", "-scheduled_for"]
EmailSort = Literal["-created_at", "created_at"]

# How many documents match, or what counts them.
Total = int | Callable[[], Awaitable[int]]

M = TypeVar("M", bound=BaseModel)


def sort_order(sort: str, indexed: int) -> Order:
    """Return the order that a `sort` parameter names: a field, descending with "-" before it.

    `indexed` is the direction of the field in its index; ids break ties as they do there.
    """
    direction = -1 if sort.startswith("-") else 1
    return [(sort.removeprefix("-"), direction), ("_id", direction * indexed)]


async def list_page(
    request: ApiRequest,
    documents: AsyncCollection[Raw],
    where: Raw,
    sort: Order,
    model: type[M],
    page: int,
    limit: int,
    total: Total,
    counted_to: int | None = None,
    complete: Complete | None = None,
    **options: Any,
) -> Response[list[M]]:
    """Return a page of the documents that match, with X-Total-Count and Link.

    `complete` adds what the model shows of other collections; `options` are those of `find`.
    """
    fields = projection_of(model)
    rows, headers = await read_page(
        request, documents, where, sort, fields, page, limit, total, counted_to, **options
    )
    if complete:
        await complete(context_of(request).database, rows)
    return etag_response(request, list[model], rows, headers)  # type: ignore[valid-type]


async def read_page(
    request: ApiRequest,
    documents: AsyncCollection[Raw],
    where: Raw,
    sort: Order,
    fields: dict[str, int] | None,
    page: int,
    limit: int,
    total: Total,
    counted_to: int | None = None,
    **options: Any,
) -> tuple[list[Raw], dict[str, str]]:
    """Return a page of the documents that match, and its headers X-Total-Count and Link.

    The last page needs no count: counting may cost more than reading. A total of `counted_to` may
    be more, so that there is no link to the last page.
    """
    cursor = request.query_params.get(CURSOR)
    before = 0 if cursor else (page - 1) * limit
    if cursor:
        where = {"$and": [where, rows_after(cursor, sort, documents.codec_options)]}
    found = documents.find(where, fields, **options).sort(sort)
    # One more, to know whether there is a next page.
    rows = await found.skip(before).limit(limit + 1).to_list()
    more, rows = rows[limit:], rows[:limit]
    if not cursor and not more and (rows or page == 1):
        total = before + len(rows)
    elif callable(total):
        total = await total()
    after = cursor_of(rows[-1], sort, documents.codec_options) if more else None
    last = None if total == counted_to else max(1, -(-total // limit))
    links = _link_header(request, page, limit, last, after)
    return rows, {"X-Total-Count": str(total), "Link": links}


def stored_time(field: str, time: datetime) -> datetime:
    """Return the time in UTC and milliseconds, as stored.

    Raises ValidationException without an offset from UTC, or outside the years 1 to 9999.
    """
    try:
        if time.tzinfo is None:
            raise ValueError("has no offset from UTC: add Z or one such as +02:00")
        return to_milliseconds(time)
    except ValueError as error:
        raise ValidationException(extra=[{"key": field, "message": str(error)}]) from error


def time_range(
    after: tuple[str, datetime | None], before: tuple[str, datetime | None]
) -> Raw | None:
    """Return the query for times from `after` on and before `before`, each with its parameter.

    None without both. Raises ValidationException as `stored_time` does.
    """
    bounds = (("$gte", *after), ("$lt", *before))
    return {op: stored_time(name, time) for op, name, time in bounds if time} or None


def _link_header(
    request: Request[Any, Any, Any], page: int, limit: int, last: int | None, after: str | None
) -> str:
    """Return the Link header: first, prev, next and last, where they exist and are known."""
    pages: dict[str, Mapping[str, Any]] = {"first": {"page": 1}}
    if page > 1 and (last is None or page <= last + 1):
        pages["prev"] = {"page": page - 1}
    if after:
        pages["next"] = {"page": page + 1, CURSOR: after}
    if last is not None:
        pages["last"] = {"page": last}
    ours = ("page", "limit", CURSOR)
    other = [(k, v) for k, v in request.query_params.multi_items() if k not in ours]
    queries = {
        rel: urlencode([*other, *query.items(), ("limit", limit)]) for rel, query in pages.items()
    }
    return ", ".join(f'<{request.url.path}?{q}>; rel="{rel}"' for rel, q in queries.items())
