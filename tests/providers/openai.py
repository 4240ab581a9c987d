"""A fake OpenAI: structured output by `POST /v1/chat/completions` and `POST /v1/responses`.

Run as `python -m tests.providers.openai`. A ledger entry holds `api` (the path's end), `model`,
`messages` (of responses: its `input`), `response_format` (its type; of chat alone) and `text`, the
JSON that the model "wrote".
"""

import re
import time
from typing import Any

import orjson

from tests.providers.faults import Fault
from tests.providers.server import Answer, serve

_NAME = re.compile(r"""(?i)\b(?:client|name)(?:'s name| name)?["']?\s*[:=]\s*["']?([^\n"',;.]+)""")
_REFUSAL = "I'm sorry, I cannot help with that."


def handle(path: str, request: Any, number: int, fault: Fault) -> Answer:
    """Return text that fits the request's JSON schema."""
    if path not in ("/v1/chat/completions", "/v1/responses"):
        return refuse(404, f"unknown path {path}")
    is_chat = path.endswith("completions")
    if not isinstance(request, dict) or not isinstance(request.get("model"), str):
        return _error(400, "you must provide a model parameter", "model")
    messages = request.get("messages" if is_chat else "input")
    if not messages:
        return _error(400, "the conversation is empty", "messages" if is_chat else "input")
    text = _written(_schema(request), orjson.dumps(messages).decode(), number, fault)
    shape = _chat_completion if is_chat else _response
    body = orjson.dumps(shape(request["model"], text, number, fault))
    entry = {
        "api": path.rpartition("/")[2],
        "model": request["model"],
        "messages": messages,
        "response_format": (request.get("response_format") or {}).get("type"),
        "text": text,
    }
    if fault.malformed is True:
        body = b'{"choices": [' + body
    return Answer(200, body, {"x-request-id": f"req_{number}"}, entry)


def refuse(status: int, text: str) -> Answer:
    """Answer with OpenAI's shape of an error."""
    return _error(status, text, None)


def _error(status: int, text: str, param: str | None) -> Answer:
    kind, code = {
        401: ("invalid_request_error", "invalid_api_key"),
        429: ("requests", "rate_limit_exceeded"),
    }.get(status, ("server_error" if status >= 500 else "invalid_request_error", None))
    error = {"message": text, "type": kind, "param": param, "code": code}
    return Answer(status, orjson.dumps({"error": error}))


def _schema(request: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema asked for, which the two APIs put in different places."""
    of_chat = (request.get("response_format") or {}).get("json_schema") or {}
    of_responses = (request.get("text") or {}).get("format") or {}
    schema: dict[str, Any] = of_chat.get("schema") or of_responses.get("schema") or {}
    return schema


def letter(name: str, number: int) -> dict[str, str]:
    """Return subject and body of a letter: no sentence twice, so that no client reads one twice."""
    return {
        "subject": f"A quick hello, {name}",
        "body": f"Hi {name},\n\nI was thinking of you and your search for a home, and wanted to"
        f" ask how it is going, for time {number}. Is there anything I can do?\n\n"
        f"I write this as letter {number} of mine.",
    }


def _written(schema: dict[str, Any], prompt: str, number: int, fault: Fault) -> str:
    found = _NAME.search(prompt.replace("\\n", "\n").replace('\\"', '"'))
    name = found[1].strip() if found else "there"
    known = letter(name, number)
    fields = {field: known.get(field, "…") for field in schema.get("properties", known)}
    if fault.malformed == "content":
        fields = {"unexpected": "fields"}
    text = orjson.dumps(fields).decode()
    return text[: len(text) // 2] if fault.truncated == "content" else text


def _chat_completion(model: str, text: str, number: int, fault: Fault) -> dict[str, Any]:
    written = {"content": None, "refusal": _REFUSAL} if fault.refusal else {"content": text}
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "refusal": None, **written},
                "logprobs": None,
                "finish_reason": "length" if fault.truncated == "content" else "stop",
            }
        ],
        "usage": {"prompt_tokens": 200, "completion_tokens": 120, "total_tokens": 320},
    }


def _response(model: str, text: str, number: int, fault: Fault) -> dict[str, Any]:
    written = (
        {"type": "refusal", "refusal": _REFUSAL}
        if fault.refusal
        else {"type": "output_text", "text": text, "annotations": []}
    )
    is_cut = fault.truncated == "content"
    status = "incomplete" if is_cut else "completed"
    message = {"type": "message", "id": f"msg_{number}", "role": "assistant", "status": status}
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "error": None,
        "model": model,
        "output": [{**message, "content": [written]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 200, "output_tokens": 120, "total_tokens": 320},
    }


if __name__ == "__main__":
    serve("openai", handle, refuse)
