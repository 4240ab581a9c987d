"""The document: what Litestar knows of the routes, and what middleware and lists add to it."""

import copy
from collections.abc import Mapping
from typing import Any

from litestar import Litestar, Request, Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json

from services.gateway.http.cursors import CURSOR
from services.gateway.http.openapi.components import named, ref, schemas
from services.gateway.http.openapi.operation_ids import operation_id
from services.gateway.markers import MAY_BE_PENDING, NO_STORE, PUBLIC

_TAGS = {
    "auth": "Register, log in, refresh, log out.",
    "agents": "The calling agent's profile.",
    "keys": "API keys for integrators.",
    "clients": "Clients of the agent.",
    "tasks": "Follow-ups.",
    "sequences": "Named steps of follow-ups that clients are given.",
    "drafts": "Letters that wait for their date, or for the agent's approval.",
    "dashboard": "An overview of an agent's follow-ups.",
    "timeline": "Events of clients, described for people.",
    "live": "The timeline as it happens.",
    "emails": "Emails and their outcomes.",
    "suppressions": "Addresses that must not be written to.",
    "commands": "Outcomes of writes that were answered with 202.",
    "admin": "Administration of all agents, for admins.",
    "webhooks": "Reports of the mail provider.",
}
_TEXT: dict[str, Any] = {"type": "string"}
_ETAG = {"description": "Identifies the content (RFC 9110).", "schema": _TEXT}
_LIST_HEADERS = {
    "X-Total-Count": {
        "description": "How many match, on all pages; of a search at most 5000, then without last.",
        "schema": {"type": "integer"},
    },
    "Link": {
        "description": "first, prev, next, last (RFC 8288); next follows a cursor.",
        "schema": _TEXT,
    },
}
_CURSOR = {
    "name": CURSOR,
    "in": "query",
    "description": "from a `next` link: goes on after the last row of that page",
    "schema": _TEXT,
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETags that the caller has: the response is 304 if the content is one of them",
    "schema": _TEXT,
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "requests with the same key within a day are done once, with the same response",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PENDING = {
    "description": "The command is durable but not carried out yet: get its outcome at `Location`",
    "headers": {"Location": {"schema": _TEXT}},
    "content": {"application/json": {"schema": ref("CommandPending")}},
}


class _Renderer(JsonRenderPlugin):
    """Renders the document at /schema and /schema/openapi.json."""

    @staticmethod
    def render(request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return encode_json(completed(openapi_schema, markers_of(request.app)))


def openapi_config() -> OpenAPIConfig:
    """Return Litestar's configuration: what concerns the API as a whole."""
    bearer = SecurityScheme(
        type="http",
        scheme="bearer",
        description="An access token of POST /api/auth/login, or an API key.",
    )
    return OpenAPIConfig(
        title="RealtorOS",
        version="0.1.0",
        description="Follows up with a realtor's clients by email. Errors are problems (RFC 9457).",
        render_plugins=[_Renderer(path=("/", "/openapi.json"))],
        openapi_router=Router(
            "/schema", route_handlers=[], opt={PUBLIC: True}, include_in_schema=False
        ),
        components=Components(security_schemes={"bearer": bearer}),
        security=[{"bearer": []}],
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        use_handler_docstrings=True,
        operation_id_creator=operation_id,
    )


def completed(document: dict[str, Any], markers: Mapping[str, Any]) -> dict[str, Any]:
    """Return Litestar's document with pydantic's schemas, and what middleware adds to the routes.

    `markers`: those of the operations, by id.
    """
    document = copy.deepcopy(document)
    document["components"]["schemas"] = schemas()
    document["paths"] = named(dict(sorted(document["paths"].items())))
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _complete(operation)
            opt = markers[operation["operationId"]]
            if PUBLIC in opt:
                operation["security"] = []
            elif method == "post" and NO_STORE not in opt:
                operation["parameters"].append(_IDEMPOTENCY_KEY)
            if MAY_BE_PENDING in opt:
                operation["responses"]["202"] = _PENDING
    return document


def markers_of(app: Litestar) -> dict[str, Any]:
    """Return the operations' `opt` by operation id."""
    return {
        str(handler.operation_id or operation_id(handler, None, route.path_components)): handler.opt
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    }


def _complete(operation: dict[str, Any]) -> None:
    responses, parameters = operation["responses"], operation.get("parameters", [])
    # Litestar's own form of errors, which problem details replace.
    responses.pop("400", None)
    summary = operation["description"].split("\n\n")[0].replace("\n", " ")
    operation["summary"] = summary.rstrip(".")
    for part in (operation, *parameters):
        for noise in ("deprecated", "allowEmptyValue", "allowReserved"):
            part.pop(noise, None)
    for parameter in parameters:
        parameter["schema"] = _without_null(parameter["schema"])
    # Litestar describes the body of a Response[None] as null; there is none.
    responses.get("204", {}).pop("content", None)
    for status, response in responses.items():
        if status.startswith("2"):
            response["description"] = operation["summary"]
            for content in response.get("content", {}).values():
                # Of what is streamed Litestar knows the media type only.
                content["schema"] = content["schema"] or _TEXT
    if "304" in responses:
        content = responses["200"]["content"]["application/json"]["schema"]
        is_list = content.get("type") == "array"
        parameters += [_CURSOR, _IF_NONE_MATCH] if is_list else [_IF_NONE_MATCH]
        responses["200"]["headers"] = {"ETag": _ETAG} | (_LIST_HEADERS if is_list else {})
        responses["304"] = {"description": "Not modified", "headers": {"ETag": _ETAG}}
    operation["parameters"] = parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter, which may be absent, but cannot be null."""
    match schema:
        case {"oneOf": [dict(one), {"type": "null"}], **others}:
            return {**one, **others}
    return schema
