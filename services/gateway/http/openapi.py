"""How the API describes itself: OpenAPI 3.1, from the routes and from pydantic's own schemas.

Litestar knows the routes; of the models it passes over limits inside optional fields, and that
unknown fields are refused. So their schemas are pydantic's.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
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

from services.gateway.accounts import schemas as account_shapes
from services.gateway.accounts.authentication import PUBLIC
from services.gateway.commands import client_import as importing
from services.gateway.http import problem_details as problems
from services.gateway.http.headers import SECRET_POSTS
from services.gateway.read_models import dashboard
from services.gateway.read_models import schemas as shapes

_TAGS = {
    "auth": "Register, log in, refresh, log out.",
    "agents": "The calling agent's profile.",
    "keys": "API keys for integrators.",
    "clients": "Clients of the agent.",
    "tasks": "Follow-ups.",
    "dashboard": "What an agent looks at first.",
    "timeline": "What happened to clients, in words.",
    "live": "The same as it happens.",
    "emails": "Emails and what became of them.",
    "commands": "What became of a write that was answered with 202.",
    "admin": "What admins see and do.",
    "webhooks": "What the mail provider reports.",
}
# Names in them are invented.
EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("examples.json").read_text())
MODULES = (shapes, account_shapes, dashboard, importing, problems)
_BASES = (shapes.Shown, account_shapes.Body)
_REF = "#/components/schemas/{model}"
_TEXT: dict[str, Any] = {"type": "string"}
_TAG = {"description": "Names what was answered (RFC 9110).", "schema": _TEXT}
_LISTED = {
    "X-Total-Count": {"description": "How many there are.", "schema": {"type": "integer"}},
    "Link": {"description": "first, prev, next, last (RFC 8288).", "schema": _TEXT},
}
_KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "description": "tags of what is known: it is not sent again, but answered 304",
    "schema": _TEXT,
}
_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "sent again with the same key within a day, it is done once, answered the same",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
# What is ordered there is answered 202 when its owner does not answer in time.
_ORDERING = (
    *("/api/agents/me", "/api/clients", "/api/tasks", "/api/emails"),
    *("/api/admin/tasks", "/api/admin/emails"),
)
# Its report tells of each line what is pending.
_AT_ONCE = ("/api/clients/import",)
_PENDING = {
    "description": "It is durable, but not carried out yet: `Location` is where its outcome stands",
    "headers": {"Location": {"schema": _TEXT}},
    "content": {"application/json": {"schema": {"$ref": _REF.format(model="Pending")}}},
}


class _Rendered(JsonRenderPlugin):
    """Serves the document at /schema."""

    @staticmethod
    def render(request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return encode_json(refined(openapi_schema, public_in(request.app)))


def described() -> OpenAPIConfig:
    """Give what is said of the API as a whole."""
    bearer = SecurityScheme(
        type="http",
        scheme="bearer",
        description="An access token of POST /api/auth/login, or an API key.",
    )
    return OpenAPIConfig(
        title="RealtorOS",
        version="0.1.0",
        description="Follows up with a realtor's clients by email. Errors are problems (RFC 9457).",
        render_plugins=[_Rendered(path="/")],
        openapi_router=Router(
            "/schema", route_handlers=[], opt={PUBLIC: True}, include_in_schema=False
        ),
        components=Components(security_schemes={"bearer": bearer}),
        security=[{"bearer": []}],
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        use_handler_docstrings=True,
        operation_id_creator=_named,
    )


def refined(document: dict[str, Any], public: AbstractSet[str]) -> dict[str, Any]:
    """Give Litestar's document with pydantic's schemas, and what middleware adds to the routes.

    `public`: the ids of the operations that need no token.
    """
    document = copy.deepcopy(document)
    document["components"]["schemas"] = schemas()
    document["paths"] = dict(sorted(document["paths"].items()))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _refine(operation)
            if operation["operationId"] in public:
                operation["security"] = []
            elif method == "post" and not path.startswith(SECRET_POSTS):
                operation.setdefault("parameters", []).append(_ONCE)
            if method != "get" and path.startswith(_ORDERING) and path not in _AT_ONCE:
                operation["responses"]["202"] = _PENDING
    return document


def public_in(app: Litestar) -> set[str]:
    """Give the ids of the operations that need no token."""
    return {
        str(handler.operation_id or _named(handler, None, route.path_components))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if PUBLIC in handler.opt
    }


@cache
def schemas() -> dict[str, Any]:
    """Give the JSON Schemas of all that goes in and out, by name."""
    _, whole = models_json_schema(
        [(model, "validation" if _comes_in(model) else "serialization") for model in _models()],
        ref_template=_REF,
    )
    found: dict[str, Any] = whole["$defs"]
    for name, schema in found.items():
        if name.endswith("Patch"):
            # What is absent stays as it is: a default says only that it may be absent.
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


def _comes_in(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid"


def _refine(operation: dict[str, Any]) -> None:
    responses, parameters = operation["responses"], operation.get("parameters", [])
    # Litestar's own form of errors, which `problems` replaces.
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
        parameters.append(_KNOWN)
        content = responses["200"]["content"]["application/json"]["schema"]
        list_page = _LISTED if content.get("type") == "array" else {}
        responses["200"]["headers"] = {"ETag": _TAG} | list_page
        responses["304"] = {"description": "It is what is known", "headers": {"ETag": _TAG}}
    operation["parameters"] = parameters


def _named(handler: HTTPRouteHandler, method: Any, components: Sequence[Any]) -> str:
    """Name an operation by the fixed parts of its path and what it does: `clients_plan_pause`."""
    names = [part for part in components if isinstance(part, str) and part != "api"]
    action = handler.handler_name.rstrip("_")
    return "_".join(names if names and names[-1] == action else [*names, action])
