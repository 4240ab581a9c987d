"""Import and export of an agent's clients as a CSV file."""

import asyncio
import io
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar, cast, get_args

from litestar import Controller, MediaType, Response
from litestar.enums import RequestEncodingType
from litestar.exceptions import (
    HTTPException,
    ServiceUnavailableException,
    ValidationException,
)
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_415_UNSUPPORTED_MEDIA_TYPE
from multipart import MultipartError, MultipartParser

from chassis.mongo.client import Database, Raw
from chassis.process.tasks import cancel_and_wait
from contracts.crm import Stage
from services.gateway.commands.client_import import ImportReport
from services.gateway.http.context import WRITTEN, ApiRequest, context_of, get, post, responses_of
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import sort_order
from services.gateway.leads import export
from services.gateway.leads.records import Unreadable
from services.gateway.read_models.documents import CLIENT_ORDERS, client_index, index_name

IMPORT_BYTES = 10 * 1_048_576
EXPORTED_AT_ONCE = 500
CSV = "text/csv"

T = TypeVar("T")


@dataclass
class _TakesCsv(Operation):
    """The request body of an import: Litestar describes only JSON and forms."""

    def __post_init__(self) -> None:
        text = Schema(
            type=OpenAPIType.STRING,
            # In any charset that spreadsheets write.
            format=OpenAPIFormat.BINARY,
            description="a header and a line for each client",
        )
        file = Schema(
            type=OpenAPIType.OBJECT,
            properties={"file": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)},
            required=["file"],
        )
        self.request_body = RequestBody(
            content={
                CSV: OpenAPIMediaType(schema=text),
                RequestEncodingType.MULTI_PART: OpenAPIMediaType(schema=file),
            },
            required=True,
        )


class ClientFiles(Controller):
    """Files of clients."""

    path = "/api/clients"
    tags = ["clients"]

    @post(
        "/import",
        status_code=HTTP_200_OK,
        request_max_body_size=IMPORT_BYTES,
        operation_class=_TakesCsv,
        responses=WRITTEN | responses_of(HTTP_415_UNSUPPORTED_MEDIA_TYPE),
    )
    async def import_(self, request: ApiRequest) -> Response[ImportReport]:
        """Import clients from a CSV (at most 10 MiB and 20,000 lines), as `realtoros import` does.

        The body is the file, as text/csv, or a form (multipart/form-data) with one file. Columns
        are recognised by their titles, those of our export and of common CRMs; a name and an email
        are required. Every line is imported as a whole or not at all, and has an entry in the
        response; the status is 422 only if the file cannot be read at all. The response comes once
        all imported clients can be read. A line without a reply in time is pending: get its outcome
        at /api/commands/{id}. After 503 import the file again: lines imported before are known.
        Lines beyond the day's quota of new clients are refused.
        """
        api, agent_id = context_of(request), request.user.agent_id
        with api.imports.slot(agent_id):
            content, charset = await _file_of(request)
            try:
                rows = await _unless_hung_up(request, api.imports.read(content, charset))
            except Unreadable as error:
                raise _invalid(str(error)) from error
            report = await api.imports.add(agent_id, rows, base=command_id_of(request))
        return Response(cast("Any", report), media_type=MediaType.JSON)

    @get("/export", media_type=CSV)
    async def export(self, request: ApiRequest) -> Stream:
        """Export all clients as a CSV that the import reads back, the oldest first.

        Custom fields are one column of JSON. A cell that a spreadsheet would read as a formula
        gets an apostrophe in front, which the import removes.
        """
        batches = _exported(
            context_of(request).database,
            {"agent_id": request.user.agent_id, "stage": {"$in": list(get_args(Stage))}},
        )
        # Before the response has begun, an unavailable store can still be answered with 503.
        first = await anext(batches)

        async def all_() -> AsyncIterator[bytes]:
            yield first
            async for batch in batches:
                yield batch

        return Stream(
            all_(),
            headers={"Content-Disposition": 'attachment; filename="clients.csv"'},
        )


async def _file_of(request: ApiRequest) -> tuple[bytes, str | None]:
    """Return the file and its charset, if the request names one."""
    type_, options = request.content_type
    if type_ == RequestEncodingType.MULTI_PART:
        return _only_file(await request.body(), options.get("boundary", "")), None
    if type_ != CSV:
        raise HTTPException(
            f"send the file as {CSV} or multipart/form-data",
            status_code=HTTP_415_UNSUPPORTED_MEDIA_TYPE,
        )
    return await request.body(), options.get("charset")


async def _unless_hung_up(request: ApiRequest, work: Coroutine[Any, Any, T]) -> T:
    """Return what the work returns. Cancels it when the caller hangs up, who gets no answer."""
    tasks = asyncio.create_task(work), asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not tasks[0].done():
            raise ServiceUnavailableException
        return await tasks[0]
    finally:
        await cancel_and_wait(tasks)


async def _hang_up(request: ApiRequest) -> None:
    """Return when the caller hangs up; the body has been read by now."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _only_file(form: bytes, boundary: str) -> bytes:
    """Return the file in a form. Litestar's own parser decodes text, in any charset named."""
    try:
        parts = MultipartParser(  # type: ignore[no-untyped-call]
            io.BytesIO(form), boundary, spool_limit=IMPORT_BYTES, memory_limit=IMPORT_BYTES
        )
        files = [part for part in parts if part.filename]
    except MultipartError:
        raise _invalid(
            "the form cannot be parsed: send multipart/form-data with one file"
        ) from None
    if len(files) != 1:
        raise _invalid(f"the form has {len(files)} files: send exactly one")
    content: bytes = files[0].raw
    return content


def _invalid(reason: str) -> ValidationException:
    return ValidationException(extra=[{"key": "file", "message": reason}])


async def _exported(database: Database, where: Raw) -> AsyncIterator[bytes]:
    """Yield the file in parts: a batch is read from the store when the one before is sent."""
    found = database["clients"].find(where, dict.fromkeys(export.COLUMNS, 1))
    found = found.sort(sort_order("created_at", CLIENT_ORDERS["created_at"]))
    found = found.hint(index_name(client_index("created_at"))).batch_size(EXPORTED_AT_ONCE)
    async with found as cursor:
        part, rows = export.header(), await cursor.to_list(EXPORTED_AT_ONCE)
        while rows:
            yield part + export.lines(rows)
            part, rows = b"", await cursor.to_list(EXPORTED_AT_ONCE)
    yield part
