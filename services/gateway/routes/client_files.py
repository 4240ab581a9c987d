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
from pydantic import BaseModel, Json, ValidationError

from chassis.mongo.client import Database, Raw
from chassis.process.tasks import cancel_and_wait
from contracts.crm import Stage
from services.gateway.commands.imports.client_import import ImportOptions, OnKnown
from services.gateway.commands.imports.report import ImportReport
from services.gateway.http.context import WRITTEN, ApiRequest, context_of, get, post, responses_of
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import sort_order
from services.gateway.leads import export
from services.gateway.leads.charsets import Unreadable
from services.gateway.read_models.documents import CLIENT_ORDERS, client_index, index_name

IMPORT_BYTES = 10 * 1_048_576
EXPORTED_AT_ONCE = 500
CSV = "text/csv"

T = TypeVar("T")


class _FormOptions(BaseModel):
    """What a form says besides the file; of `dry_run` and `on_known`, it may be in the query."""

    charset: str | None = None
    mapping: Json[dict[str, str]] | None = None
    dry_run: bool = False
    on_known: OnKnown = "report"


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
            properties={
                "file": Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY),
                "charset": Schema(type=OpenAPIType.STRING),
                "dry_run": Schema(type=OpenAPIType.BOOLEAN),
                "on_known": Schema(type=OpenAPIType.STRING, enum=list(get_args(OnKnown))),
                "mapping": Schema(
                    type=OpenAPIType.STRING,
                    description="a JSON object of what columns mean, by their titles",
                ),
            },
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
    async def import_(
        self, request: ApiRequest, dry_run: bool = False, on_known: OnKnown = "report"
    ) -> Response[ImportReport]:
        """Import clients from a CSV (at most 10 MiB and 20,000 lines), as `realtoros import` does.

        The body is the file, as text/csv, or a form (multipart/form-data) with one file and, if
        wanted, `dry_run`, `on_known`, `charset` and `mapping`: what columns mean, as a JSON object
        by title (such as `{"Kontakt": "email"}`; `custom_field` and `ignore`, too). Others are
        recognised by their titles, those of our export and of common CRMs and address books; only
        an email is required. What of a line is not understood is kept and told as a warning. Who
        wants no emails, as the file says, is suppressed before any follow-up falls due. Every line
        has an entry in the response; the status is 422 only if the file cannot be read at all.
        With `dry_run` nothing is changed. A client that is known stays as it is, unless `on_known`
        is `update`: then what the file says otherwise is changed. The response comes once
        all imported clients can be read. A line without a reply in time is pending: get its outcome
        at /api/commands/{id}. After 503 import the file again: lines imported before are known.
        Lines beyond the day's quota of new clients are refused.
        """
        api, agent_id = context_of(request), request.user.agent_id
        with api.imports.slot(agent_id):
            content, form = await _file_of(request)
            try:
                reading = api.imports.read(content, charset=form.charset, mapping=form.mapping)
                rows = await _unless_hung_up(request, reading)
            except Unreadable as error:
                raise _invalid(str(error)) from error
            on_known = form.on_known if on_known == "report" else on_known
            asked = ImportOptions(dry_run or form.dry_run, on_known)
            report = await api.imports.add(agent_id, rows, command_id_of(request), asked)
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


async def _file_of(request: ApiRequest) -> tuple[bytes, _FormOptions]:
    """Return the file, and what the request says of it besides its query."""
    type_, options = request.content_type
    if type_ == RequestEncodingType.MULTI_PART:
        return _form(await request.body(), options.get("boundary", ""))
    if type_ != CSV:
        raise HTTPException(
            f"send the file as {CSV} or multipart/form-data",
            status_code=HTTP_415_UNSUPPORTED_MEDIA_TYPE,
        )
    return await request.body(), _FormOptions(charset=options.get("charset"))


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


def _form(form: bytes, boundary: str) -> tuple[bytes, _FormOptions]:
    """Return the file in a form, and what its other parts say of it.

    Litestar's own parser decodes text, in any charset named.
    """
    try:
        parts = list(
            MultipartParser(  # type: ignore[no-untyped-call]
                io.BytesIO(form), boundary, spool_limit=IMPORT_BYTES, memory_limit=IMPORT_BYTES
            )
        )
    except MultipartError:
        raise _invalid(
            "the form cannot be parsed: send multipart/form-data with one file"
        ) from None
    files = [part for part in parts if part.filename]
    if len(files) != 1:
        raise _invalid(f"the form has {len(files)} files: send exactly one")
    texts = {
        part.name: part.raw.decode(errors="replace")
        for part in parts
        if part.name in _FormOptions.model_fields and not part.filename
    }
    try:
        options = _FormOptions.model_validate(texts)
    except ValidationError as error:
        raise ValidationException(
            extra=[{"key": str(e["loc"][0]), "message": e["msg"]} for e in error.errors()]
        ) from None
    content: bytes = files[0].raw
    return content, options


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
