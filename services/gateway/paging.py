"""Lists: a page as a JSON array, its total and its neighbours in the headers (RFC 8288)."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.params import Parameter
from pydantic import BaseModel
from pymongo.asynchronous.collection import AsyncCollection

from chassis.mongo import Database, Raw
from contracts.message import to_milliseconds

Page = Annotated[int, Parameter(ge=1, le=1_000_000, description="from 1")]
Limit = Annotated[int, Parameter(ge=1, le=100, description="rows on a page")]

M = TypeVar("M", bound=BaseModel)


async def listed(
    request: Request[Any, Any, Any],
    database: Database,
    collection: str,
    where: Raw,
    sort: list[tuple[str, int]],
    model: type[M],
    page: int,
    limit: int,
) -> Response[list[M]]:
    """Answer a page of the documents that match, with X-Total-Count and Link."""
    fields = projection_of(model)
    rows, headers = await paged(request, database[collection], where, sort, fields, page, limit)
    return Response([model.model_validate(row) for row in rows], headers=headers)


async def paged(
    request: Request[Any, Any, Any],
    documents: AsyncCollection[Raw],
    where: Raw,
    sort: list[tuple[str, int]],
    fields: dict[str, int] | None,
    page: int,
    limit: int,
) -> tuple[list[Raw], dict[str, str]]:
    """Give a page of the documents that match, and its headers X-Total-Count and Link."""
    total = await documents.count_documents(where)
    found = documents.find(where, fields).sort(sort)
    rows = await found.skip((page - 1) * limit).limit(limit).to_list()
    return rows, {"X-Total-Count": str(total), "Link": links(request, page, limit, total)}


def moment(field: str, time: datetime) -> datetime:
    """Give the time as the store compares it; refuse one without offset or outside the calendar."""
    try:
        if time.tzinfo is None:
            raise ValueError("has no offset from UTC")
        return to_milliseconds(time)
    except ValueError as error:
        raise ValidationException(extra=[{"key": field, "message": str(error)}]) from error


def projection_of(model: type[BaseModel]) -> dict[str, int]:
    """Ask the store for just the fields that the model shows."""
    return {(field.alias or name): 1 for name, field in model.model_fields.items()}


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
