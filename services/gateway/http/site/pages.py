"""The route that serves the dashboard's pages: what is at no other route's address."""

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import litestar
from litestar import HttpMethod, Response
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_304_NOT_MODIFIED,
    HTTP_307_TEMPORARY_REDIRECT,
    HTTP_404_NOT_FOUND,
)

from services.gateway.http.compression.accept_encoding import best_coding
from services.gateway.http.context import ApiRequest
from services.gateway.http.etags import names_tag
from services.gateway.http.site.static_export import ExportedFile, StaticExport, read_export
from services.gateway.markers import PUBLIC

# An export has no page for each client: one page shows the client that its query names.
_CLIENT: Final = re.compile(
    r"/clients/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?", re.IGNORECASE
)
_ENCODED_SLASH: Final = re.compile(r"%2f", re.IGNORECASE)


def page_routes(folder: str | None) -> list[HTTPRouteHandler]:
    """Return the route of the export in the folder; none where there is no export.

    Reads it. Raises OSError.
    """
    export = read_export(Path(folder)) if folder else None
    if export is None:
        return []

    @litestar.route(
        ["/", "/{path:path}"],
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        opt={PUBLIC: True},
        include_in_schema=False,
    )
    async def page(request: ApiRequest) -> Response[Any]:
        """Return the file of this address, or where it is, or the page that there is none."""
        # As it was sent: Litestar's path has lost slashes.
        sent = request.scope["raw_path"].decode("latin-1")
        if _ENCODED_SLASH.search(sent):
            return _not_found(request, export)
        path = unquote(sent)
        if file := export.files.get(path):
            return _answer(request, file)
        if f"{path}/" in export.files:
            query = request.scope["query_string"].decode("latin-1")
            return _redirect(f"{sent}/?{query}" if query else f"{sent}/")
        if client := _CLIENT.fullmatch(path):
            return _redirect(f"/client/?id={client[1]}")
        return _not_found(request, export)

    return [page]


def _answer(request: ApiRequest, file: ExportedFile, status: int = HTTP_200_OK) -> Response[bytes]:
    coding = best_coding(request.headers.get("accept-encoding", ""), file.compressed)
    content = file.compressed[coding] if coding else file.plain
    known = request.headers.get("if-none-match")
    if known and status == HTTP_200_OK and names_tag(known, content.etag):
        # With all headers: a browser takes them for those of the page that it has.
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=content.headers)
    return Response(
        content.body, status_code=status, media_type=file.media_type, headers=content.headers
    )


def _redirect(path: str) -> Response[Any]:
    return Redirect(path, status_code=HTTP_307_TEMPORARY_REDIRECT)


def _not_found(request: ApiRequest, export: StaticExport) -> Response[bytes]:
    """Return the page for who reads pages. Raises NotFoundException for everybody else."""
    # A browser names it when it opens a page, and for nothing else.
    if MediaType.HTML not in request.headers.get("accept", "") or export.not_found is None:
        raise NotFoundException
    return _answer(request, export.not_found, HTTP_404_NOT_FOUND)
