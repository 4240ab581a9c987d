"""All clients of an agent as a file: imported, exported."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import get_args

from litestar import Controller
from litestar.enums import RequestEncodingType
from litestar.exceptions import HTTPException, ValidationException
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
from contracts.crm import Stage
from services.gateway.commands.client_import import ImportReport, import_clients
from services.gateway.http.context import WRITTEN, ApiRequest, context_of, get, post, responses_of
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import sorted_by
from services.gateway.leads import export
from services.gateway.leads.records import Unreadable
from services.gateway.read_models.documents import CLIENT_ORDERS, client_index, name_of

IMPORT_BYTES = 10 * 1_048_576
EXPORTED_AT_ONCE = 500
CSV = "text/csv"


@dataclass
class _TakesCsv(Operation):
    """Litestar knows no bodies but JSON and forms."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING, description="a header and a line for each client")
        file = Schema(
            type=OpenAPIType.OBJECT, additional_properties=Schema(format=OpenAPIFormat.BINARY)
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
    async def import_(self, request: ApiRequest) -> ImportReport:
        """Import clients from a CSV (at most 10 MiB and 20,000 lines), as `realtoros import` does.

        The body is the file, as text/csv, or a form (multipart/form-data) with one file. Columns
        are told by their titles, those of our export and of common CRMs; a name and an email are
        needed. Every line is imported whole or not at all, and has its entry in the answer; 422
        only when the file as such is no use. The answer comes when all clients are shown. What crm
        does not answer in time is pending, and its outcome will stand at /api/commands/{id}. After
        503 import the file again: what was imported by then is known.
        """
        content, charset = await _file_of(request)
        api, agent_id = context_of(request), request.user.agent_id
        try:
            return await import_clients(
                api.commands, api.database, agent_id, content, charset, base=command_id_of(request)
            )
        except Unreadable as error:
            raise _wrong(str(error)) from error

    @get("/export", media_type=CSV)
    async def export(self, request: ApiRequest) -> Stream:
        """Export all clients as a CSV that the import reads back, the oldest first.

        Custom fields are one column of JSON. A cell that spreadsheets would take for a formula
        begins with an apostrophe, which the import takes off again.
        """
        batches = _exported(
            context_of(request).database,
            {"agent_id": request.user.agent_id, "stage": {"$in": list(get_args(Stage))}},
        )
        # While nothing has been answered yet, a store that is away can be answered with 503.
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
    """Give the file and its charset, if it is told."""
    type_, options = request.content_type
    if type_ == RequestEncodingType.MULTI_PART:
        return _only_file(await request.body(), options.get("boundary", "")), None
    if type_ != CSV:
        raise HTTPException(
            f"a file of clients is {CSV}", status_code=HTTP_415_UNSUPPORTED_MEDIA_TYPE
        )
    return await request.body(), options.get("charset")


def _only_file(form: bytes, boundary: str) -> bytes:
    """Give the file in a form. Litestar's own reading decodes text, in any charset it is told."""
    try:
        parts = MultipartParser(  # type: ignore[no-untyped-call]
            io.BytesIO(form), boundary, spool_limit=IMPORT_BYTES, memory_limit=IMPORT_BYTES
        )
        files = [part for part in parts if part.filename]
    except MultipartError:
        raise _wrong("the form cannot be read") from None
    if len(files) != 1:
        raise _wrong(f"the form has {len(files)} files; one is needed")
    content: bytes = files[0].raw
    return content


def _wrong(reason: str) -> ValidationException:
    return ValidationException(extra=[{"key": "file", "message": reason}])


async def _exported(database: Database, where: Raw) -> AsyncIterator[bytes]:
    """Give the file in parts: the store is asked for a batch when the one before is sent."""
    found = database["clients"].find(where, dict.fromkeys(export.COLUMNS, 1))
    found = found.sort(sorted_by("created_at", CLIENT_ORDERS["created_at"]))
    found = found.hint(name_of(client_index("created_at"))).batch_size(EXPORTED_AT_ONCE)
    async with found as cursor:
        part, rows = export.header(), await cursor.to_list(EXPORTED_AT_ONCE)
        while rows:
            yield part + export.lines(rows)
            part, rows = b"", await cursor.to_list(EXPORTED_AT_ONCE)
    yield part
