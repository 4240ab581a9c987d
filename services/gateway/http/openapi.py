"""The OpenAPI 3.1 document, from Litestar's routes and pydantic's schemas.

Litestar's own schemas of the models lack limits inside optional fields, and that unknown fields are
refused.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.gateway import errors
from services.gateway.accounts import schemas as account_shapes
from services.gateway.commands import import_report as importing
from services.gateway.commands import reassignment
from services.gateway.http import problem_details as problems
from services.gateway.markers import MAY_BE_PENDING, NO_STORE, PUBLIC
from services.gateway.read_models import dashboard, token_counts
from services.gateway.read_models import schemas as shapes

_TAGS = {
    "auth": "Register, log in, refresh, log out.",
    "agents": "The calling agent's profile.",
    "keys": "API keys for integrators.",
    "clients": "Clients of the agent.",
    "tasks": "Follow-ups.",
    "dashboard": "An overview of an agent's follow-ups.",
    "timeline": "Events of clients, described for people.",
    "live": "The timeline as it happens.",
    "emails": "Emails and their outcomes.",
    "suppressions": "Addresses that must not be written to.",
    "commands": "Outcomes of writes that were answered with 202.",
    "admin": "Administration of all agents, for admins.",
    "webhooks": "Reports of the mail provider.",
}
# Names in them are fictitious.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text())
MODULES = (
    shapes,
    account_shapes,
    dashboard,
    token_counts,
    importing,
    reassignment,
    problems,
    errors,
)
_BASES = (shapes.ReadModel, account_shapes.Body)
_REF = "#/components/schemas/{model}"
_TEXT: dict[str, Any] = {"type": "string"}
_ETAG = {"description": "Identifies the content (RFC 9110).", "schema": _TEXT}
_LIST_HEADERS = {
    "X-Total-Count": {
        "description": "How many match, on all pages.",
        "schema": {"type": "integer"},
    },
    "Link": {"description": "first, prev, next, last (RFC 8288).", "schema": _TEXT},
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
    "content": {"application/json": {"schema": {"$ref": _REF.format(model="Pending")}}},
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
        operation_id_creator=_operation_id,
    )


def completed(document: dict[str, Any], markers: Mapping[str, Any]) -> dict[str, Any]:
    """Return Litestar's document with pydantic's schemas, and what middleware adds to the routes.

    `markers`: those of the operations, by id.
    """
    document = copy.deepcopy(document)
    document["components"]["schemas"] = schemas()
    document["paths"] = dict(sorted(document["paths"].items()))
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
        str(
            handler.operation_id or _operation_id(handler, None, route.path_components)
        ): handler.opt
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
    }


@cache
def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all requests and responses, by name."""
    _, definitions = models_json_schema(
        [(model, "validation" if _is_request(model) else "serialization") for model in _models()],
        ref_template=_REF,
    )
    found: dict[str, Any] = definitions["$defs"]
    for name, schema in found.items():
        if name.endswith("Patch"):
            # What is absent stays as it is; ClientPatch inherits defaults that messages publish.
            for field in schema["properties"].values():
                field.pop("default", None)
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    return dict(sorted(found.items()))


def _models() -> Iterator[type[BaseModel]]:
    for module in MODULES:
        for value in vars(module).values():
            known = isinstance(value, type) and value.__module__ == module.__name__
            if known and issubclass(value, BaseModel) and value not in _BASES:
                yield value


def _is_request(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid"


def _complete(operation: dict[str, Any]) -> None:
    responses, parameters = operation["responses"], operation.get("parameters", [])
    # Litestar's own form of errors, which problem details replace.
    responses.pop("400", None)
    summary = operation["description"].split("\n\n")[0].replace("\n", " ")
    operation["summary"] = summary.rstrip(".")
    for part in (operation, *parameters):
        for noise in ("deprecated", "allowEmptyValue", "allowReserved"):
            part.pop(noise, None)
    for status, response in responses.items():
        if status.startswith("2"):
            response["description"] = operation["summary"]
    if "304" in responses:
        parameters.append(_IF_NONE_MATCH)
        content = responses["200"]["content"]["application/json"]["schema"]
        list_headers = _LIST_HEADERS if content.get("type") == "array" else {}
        responses["200"]["headers"] = {"ETag": _ETAG} | list_headers
        responses["304"] = {"description": "Not modified", "headers": {"ETag": _ETAG}}
    operation["parameters"] = parameters


def _operation_id(handler: HTTPRouteHandler, method: Any, components: Sequence[Any]) -> str:
    """Return an id of the fixed parts of the path and the action, as `clients_plan_pause`."""
    names = [part for part in components if isinstance(part, str) and part != "api"]
    action = handler.handler_name.rstrip("_")
    return "_".join(names if names and names[-1] == action else [*names, action])
