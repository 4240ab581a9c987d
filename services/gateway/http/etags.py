"""Entity tags and conditional requests (RFC 9110, 8.8.3 and 13).

What was read is named by its tag: asked for again, it is not sent again (304); changed under
`If-Match`, only if it is still what was read (412). The owner of the data checks that once more.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Annotated, Any

from litestar import Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.params import HeaderParameter
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED, HTTP_412_PRECONDITION_FAILED
from pydantic import BaseModel, TypeAdapter

from services.gateway.http.context import ApiRequest, context_of

# Declared so that the schema tells of it; `if_match_version` reads it.
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description="only if it is still what was read")
]
_READING = ("GET", "HEAD")


@cache
def adapter_of(shape: Any) -> TypeAdapter[Any]:
    """Give what reads and writes the shape; made once, since that takes long."""
    return TypeAdapter(shape)


def with_etag(
    request: ApiRequest, shape: Any, rows: Any, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """Answer what the store gave, in its shape, with its tag; 304 to who has it already."""
    adapter = adapter_of(shape)
    body = adapter.dump_json(adapter.validate_python(rows), by_alias=True)
    tag = _tag(body, *(headers or {}).values())
    found = {**(headers or {}), "ETag": tag}
    known = request.headers.get("if-none-match")
    if known and request.method in _READING and _names(known, tag):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=found)
    return Response(body, status_code=HTTP_200_OK, media_type=MediaType.JSON, headers=found)


async def if_match_version(
    request: ApiRequest, stream: str, current: Callable[[], Awaitable[BaseModel]]
) -> int | None:
    """Give the version at which the stream has to be for the request's `If-Match`, if it has one.

    Raises HTTPException (412) when it is another already, and whatever `current` raises.
    """
    asked = request.headers.get("if-match")
    if asked is None:
        return None
    # First the version: what is shown may be newer then, which the owner refuses; never older.
    version = (await context_of(request).views.versions([stream]))[stream]
    shown = await current()
    if not _names(asked, _tag(shown.model_dump_json(by_alias=True).encode())):
        detail = "it was changed meanwhile: read it again"
        raise HTTPException(detail, status_code=HTTP_412_PRECONDITION_FAILED)
    return version


def _tag(body: bytes, *others: str) -> str:
    digest = hashlib.blake2b(body, digest_size=12)
    for other in others:
        digest.update(other.encode())
    return f'"{digest.hexdigest()}"'


def _names(field: str, tag: str) -> bool:
    """Tell whether a field of tags names this one; weak or not is all the same here."""
    return any(one.strip().removeprefix("W/") in ("*", tag) for one in field.split(","))
