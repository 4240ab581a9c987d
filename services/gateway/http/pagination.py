"""Lists: a page is a JSON array; its headers have the total and links to other pages (RFC 8288)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.params import Parameter
from pydantic import BaseModel
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo.client import Raw
from contracts.message import to_milliseconds
from services.gateway.http.context import ApiRequest, projection_of
from services.gateway.http.etags import etag_response

Page = Annotated[int, Parameter(ge=1, le=1_000_000, description="from 1")]
Limit = Annotated[int, Parameter(ge=1, le=100, description="rows on a page")]

M = TypeVar("M", bound=BaseModel)
Sort = list[tuple[str, int]]


def sort_order(sort: str, indexed: int) -> Sort:
    """Return the order that a `sort` parameter names: a field, descending with "-" before it.

    `indexed` is the direction of the field in its index; ids break ties as they do there.
    """
    direction = -1 if sort.startswith("-") else 1
    return [(sort.removeprefix("-"), direction), ("_id", direction * indexed)]


async def list_page(
    request: ApiRequest,
    documents: AsyncCollection[Raw],
    where: Raw,
    sort: Sort,
    model: type[M],
    page: int,
    limit: int,
    total: int | Callable[[], Awaitable[int]],
    **options: Any,
) -> Response[list[M]]:
    """Return a page of the documents that match, with X-Total-Count and Link.

    `total` is their number, or counts them; `options` are those of `find`.
    """
    fields = projection_of(model)
    rows, headers = await read_page(
        request, documents, where, sort, fields, page, limit, total, **options
    )
    return etag_response(request, list[model], rows, headers)  # type: ignore[valid-type]


async def read_page(
    request: ApiRequest,
    documents: AsyncCollection[Raw],
    where: Raw,
    sort: Sort,
    fields: dict[str, int] | None,
    page: int,
    limit: int,
    total: int | Callable[[], Awaitable[int]],
    **options: Any,
) -> tuple[list[Raw], dict[str, str]]:
    """Return a page of the documents that match, and its headers X-Total-Count and Link.

    The last page needs no count: counting may cost more than reading.
    """
    found = documents.find(where, fields, **options).sort(sort)
    before = (page - 1) * limit
    rows = await found.skip(before).limit(limit).to_list()
    if len(rows) < limit and (rows or page == 1):
        total = before + len(rows)
    elif callable(total):
        total = await total()
    return rows, {"X-Total-Count": str(total), "Link": link_header(request, page, limit, total)}


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


def link_header(request: Request[Any, Any, Any], page: int, limit: int, total: int) -> str:
    """Return the Link header: first, prev, next and last, where they exist."""
    last = max(1, -(-total // limit))
    pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    other = [(k, v) for k, v in request.query_params.multi_items() if k not in ("page", "limit")]
    queries = {
        rel: urlencode([*other, ("page", number), ("limit", limit)])
        for rel, number in pages.items()
        if 1 <= number <= last
    }
    return ", ".join(f'<{request.url.path}?{q}>; rel="{rel}"' for rel, q in queries.items())
