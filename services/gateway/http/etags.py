"""Entity tags and conditional requests (RFC 9110, 8.8.3 and 13).

A response carries a tag of its content. Under `If-None-Match`, content that the caller has is not
sent again (304); under `If-Match`, what has changed since is not overwritten (412). The owner of
the data checks that once more.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Annotated, Any

from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.params import HeaderParameter
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_204_NO_CONTENT,
    HTTP_304_NOT_MODIFIED,
    HTTP_412_PRECONDITION_FAILED,
)
from pydantic import BaseModel, TypeAdapter

from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.problem_details import CHANGED

IfMatch = Annotated[
    str | None,
    HeaderParameter(name="If-Match", description="the ETag last read: refuse if it has changed"),
]
_SAFE_METHODS = ("GET", "HEAD")


@cache
def adapter_of(shape: Any) -> TypeAdapter[Any]:
    """Return the shape's adapter, built once, since that takes long."""
    return TypeAdapter(shape)


def etag_response(
    request: ApiRequest,
    shape: Any,
    rows: Any,
    headers: Mapping[str, str] | None = None,
    status: int = HTTP_200_OK,
) -> Response[Any]:
    """Return the rows in the shape, with their tag; 304 when `If-None-Match` names it.

    204 to a caller who may write only: a change does not show what is stored.
    """
    if not request.user.may_read:
        return Response(b"", status_code=HTTP_204_NO_CONTENT)
    adapter = adapter_of(shape)
    body = adapter.dump_json(adapter.validate_python(rows), by_alias=True)
    tag = _tag(body, *(headers or {}).values())
    all_headers = {**(headers or {}), "ETag": tag}
    known = request.headers.get("if-none-match")
    if known and request.method in _SAFE_METHODS and names_tag(known, tag):
        if f"W/{tag}" in known:
            # As it stands with the compressed content that the caller has.
            all_headers["ETag"] = f"W/{tag}"
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=all_headers)
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=all_headers)


async def if_match_version(
    request: ApiRequest,
    if_match: str | None,
    stream: str,
    current: Callable[[], Awaitable[BaseModel]],
) -> int | None:
    """Return the stream's version that `if_match` stands for; None without an `if_match`.

    Raises HTTPException (412) when `current` has another tag, and whatever `current` raises.
    """
    if if_match is None:
        return None
    # First the version: what is read next may be newer, which the owner refuses; never older.
    version = (await context_of(request).views.versions([stream]))[stream]
    shown = await current()
    if not names_tag(if_match, _tag(shown.model_dump_json(by_alias=True).encode())):
        raise HTTPException(CHANGED, status_code=HTTP_412_PRECONDITION_FAILED)
    return version


def _tag(body: bytes, *others: str) -> str:
    digest = hashlib.blake2b(body, digest_size=12)
    for other in others:
        digest.update(other.encode())
    return f'"{digest.hexdigest()}"'


def names_tag(field: str, tag: str) -> bool:
    """Return whether a list of tags has this one, compared weakly (RFC 9110, 8.8.3.2)."""
    return any(one.strip().removeprefix("W/") in ("*", tag) for one in field.split(","))
