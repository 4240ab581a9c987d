"""A fake SendGrid: `POST /v3/mail/send`, as `python -m tests.providers.sendgrid`.

A ledger entry holds the message's id, `to` (a list of addresses), `from`, `subject`,
`custom_args`, `headers`, `content_types` and the whole request as `request`.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import orjson

from tests.providers.faults import Fault
from tests.providers.server import Answer, serve

# The text of SendGrid's own answers, shortened, by the field at fault.
_MESSAGES = {
    "personalizations": "The personalizations field is required and must have at least one"
    " personalization.",
    "personalizations.0.to": "The to array is required for all personalization objects, and must"
    " have at least one email object with a valid email address.",
    "from": "The from object must be provided for every email send. It is an object that requires"
    " the email parameter, but may also contain a name parameter.",
    "subject": "The subject is required. You can get around this requirement if you use a"
    " template with a subject defined or if every personalization has a subject defined.",
    "content": "Unless a valid template_id is provided, the content parameter is required. There"
    " must be at least one defined content block. We typically suggest both text/plain and"
    " text/html blocks are included, but only one block is required.",
    "custom_args": "The custom_args may not exceed 10000 bytes.",
}
_ARGS_BYTES = 10_000
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def handle(path: str, request: Any, _number: int, fault: Fault) -> Answer:
    """Accept a message, or return an error that names its first wrong field."""
    if path != "/v3/mail/send":
        return refuse(404, "not found")
    if wrong := next(_wrong_fields(request), None):
        return _errors(400, _MESSAGES[wrong], wrong)
    message_id = uuid.uuid4().hex[:22]
    entry = _entry(request, message_id)
    if fault.malformed:
        return Answer(202, b"{not what it should be", entry=entry)
    return Answer(202, headers={"X-Message-Id": message_id}, entry=entry)


def refuse(status: int, text: str) -> Answer:
    """Answer with SendGrid's shape of an error."""
    return _errors(status, text, None)


def _errors(status: int, text: str, field: str | None) -> Answer:
    return Answer(
        status, orjson.dumps({"errors": [{"message": text, "field": field, "help": None}]})
    )


def _wrong_fields(request: Any) -> Iterator[str]:
    """Yield the wrong fields; consume only the first, since later checks rely on earlier ones."""
    if not isinstance(request, dict) or not _objects(request.get("personalizations")):
        yield "personalizations"
    personalizations = request["personalizations"]
    if not all(_are_addresses(each.get("to")) for each in personalizations):
        yield "personalizations.0.to"
    if not _are_addresses([request.get("from")]):
        yield "from"
    if not all(_subject(request, each) for each in personalizations):
        yield "subject"
    content = request.get("content")
    if not _objects(content) or not all(part.get("type") and part.get("value") for part in content):
        yield "content"
    if max(len(orjson.dumps(_args(request, each))) for each in personalizations) > _ARGS_BYTES:
        yield "custom_args"


def _entry(request: dict[str, Any], message_id: str) -> dict[str, Any]:
    first = request["personalizations"][0]
    return {
        "message_id": message_id,
        "to": [to["email"] for each in request["personalizations"] for to in each["to"]],
        "from": request["from"]["email"],
        "subject": _subject(request, first),
        "custom_args": _args(request, first),
        "headers": request.get("headers", {}) | first.get("headers", {}),
        "content_types": [part["type"] for part in request["content"]],
        "request": request,
    }


def _args(request: dict[str, Any], personalization: dict[str, Any]) -> dict[str, Any]:
    args: dict[str, Any] = request.get("custom_args", {}) | personalization.get("custom_args", {})
    return args


def _subject(request: dict[str, Any], personalization: dict[str, Any]) -> str:
    return str(personalization.get("subject") or request.get("subject") or "")


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _are_addresses(values: Any) -> bool:
    return _objects(values) and all(_ADDRESS.fullmatch(str(each.get("email"))) for each in values)


if __name__ == "__main__":
    serve("sendgrid", handle, refuse)
