"""Lists: a page as a JSON array, its total and its neighbours in the headers (RFC 8288)."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.params import Parameter
from pydantic import BaseModel

from chassis.mongo import Database, Raw
from contracts.message import to_milliseconds
from services.gateway.api import Asked, projection_of
from services.gateway.tags import tagged

Page = Annotated[int, Parameter(ge=1, le=1_000_000, description="from 1")]
Limit = Annotated[int, Parameter(ge=1, le=100, description="rows on a page")]

M = TypeVar("M", bound=BaseModel)


async def listed(
    request: Asked,
    database: Database,
    collection: str,
    where: Raw,
    sort: list[tuple[str, int]],
    model: type[M],
    page: int,
    limit: int,
) -> Response[list[M]]:
    """Answer a page of the documents that match, with X-Total-Count and Link."""
    documents = database[collection]
    total = await documents.count_documents(where)
    found = documents.find(where, projection_of(model)).sort(sort)
    rows = await found.skip((page - 1) * limit).limit(limit).to_list()
    headers = {"X-Total-Count": str(total), "Link": links(request, page, limit, total)}
    return tagged(request, list[model], rows, headers)  # type: ignore[valid-type]


def moment(field: str, time: datetime) -> datetime:
    """Give the time as the store compares it; refuse one without offset or outside the calendar."""
    try:
        if time.tzinfo is None:
            raise ValueError("has no offset from UTC")
        return to_milliseconds(time)
    except ValueError as error:
        raise ValidationException(extra=[{"key": field, "message": str(error)}]) from error


def links(request: Request[Any, Any, Any], page: int, limit: int, total: int) -> str:
    """Give the Link header: first, prev, next and last, where they exist."""
    last = max(1, -(-total // limit))
    pages = {"first": 1, "prev": page - 1, "next": page + 1, "last": last}
    other = [(k, v) for k, v in request.query_params.multi_items() if k not in ("page", "limit")]
    queries = {
        rel: urlencode([*other, ("page", number), ("limit", limit)])
        for rel, number in pages.items()
        if 1 <= number <= last
    }
    return ", ".join(f'<{request.url.path}?{q}>; rel="{rel}"' for rel, q in queries.items())
