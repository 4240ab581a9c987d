"""Operation ids of verb and noun, from handlers and paths: `listClients`, `pauseClientPlan`.

A handler whose path does not give its noun has an `operation_id` of its own.
"""

from collections.abc import Sequence
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

_VERBS: Final = {"show": "get", "change": "update", "remove": "delete"}


def operation_id(handler: HTTPRouteHandler, method: Any, components: Sequence[Any]) -> str:
    """Return the id: the handler's name as verb, the fixed parts of the path as noun."""
    action = handler.handler_name.rstrip("_")
    verb = _VERBS.get(action, action)
    parts = [part for part in components if part != "api"]
    if parts[-1:] == [action]:
        parts.pop()
    # One of many: before an id, and what is created. All of them: what is listed or exported.
    last = None if verb == "create" else ""
    words = [
        part if isinstance(after, str) else part.removesuffix("s")
        for part, after in zip(parts, [*parts, last][1:], strict=True)
        if isinstance(part, str)
    ]
    first, *rest = "_".join([verb, *words]).split("_")
    return first + "".join(word.capitalize() for word in rest)
