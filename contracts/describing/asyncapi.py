"""The AsyncAPI 3.0 document: every topic, who sends and receives on it, and its messages."""

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.catalogue import (
    COMMANDS,
    DEFAULT_PREFIX,
    FOREVER,
    PARTITIONS,
    REPLIES,
    TOPICS,
    Topic,
)
from contracts.message import Event, Message, Reply
from contracts.services import SERVICES

_BINDING = "0.5.0"
_UUID = {"type": "string", "format": "uuid"}
_HEADERS: dict[str, dict[str, Any]] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": _UUID | {"description": "The id of the message. A repeat has the same."},
    "ce_type": {"type": "string"},
    "ce_source": {"type": "string", "pattern": "^/realtoros/[a-z]+$"},
    "ce_subject": {"type": "string", "description": "The stream it is about: `kind-uuid`."},
    "ce_time": {"type": "string", "format": "date-time"},
    "ce_correlationid": _UUID
    | {"description": "The id of the command that everything follows from."},
    "traceparent": {"type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
}
_CAUSE = {
    "ce_causationid": _UUID | {"description": "The id of the message that this one follows from."}
}
_VERSION = {
    "ce_streamversion": {
        "type": "string",
        "pattern": "^[1-9][0-9]*$",
        "description": "Numbers the events of the stream, from 1 and without gaps.",
    }
}


def document(release: str, examples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document. `examples` holds headers and value of one message per wire name."""
    types = [t for topic in TOPICS for t in topic.types]
    _, schemas = models_json_schema(
        [(t, "validation") for t in types], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "RealtorOS",
            "version": release,
            "description": "Every message is a CloudEvent 1.0 in binary mode of the Kafka protocol "
            "binding. What consumers may rely on is in docs/events.md.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {
            f"{service}.{verb}s.{topic.name}": _operation(service, verb, topic)
            for topic in TOPICS
            for verb, services in (("send", topic.writers), ("receive", topic.readers))
            for service in services
        },
        "components": {
            "messages": {t.wire_name: _message(t, examples[t.wire_name]) for t in types},
            "schemas": {
                "EventHeaders": _headers(_HEADERS | _CAUSE | _VERSION),
                "CommandHeaders": _headers(_HEADERS),
                "ReplyHeaders": _headers(_HEADERS | _CAUSE),
                **schemas["$defs"],
            },
        },
    }


def key_of(type_: type[Message], value: Mapping[str, Any]) -> str:
    """Return the name of the field or header whose value is the Kafka key of this type."""
    if issubclass(type_, Reply):
        return "ce_causationid"
    key = str(type_.model_validate(value).key)
    return next(name for name, part in value.items() if part == key)


def _channel(topic: Topic) -> dict[str, Any]:
    forever = topic.retention == FOREVER
    kept = -1 if forever else int(topic.retention.total_seconds() * 1000)
    policy = "compact" if topic.compacted else "delete"
    return {
        "address": DEFAULT_PREFIX + topic.name,
        "description": f"Written by {topic.writer}."
        + ("" if topic.types else " Raw records of the other topics."),
        "messages": {t.wire_name: _ref("messages", t.wire_name) for t in topic.types},
        "bindings": {
            "kafka": {
                "partitions": PARTITIONS,
                "topicConfiguration": {"cleanup.policy": [policy], "retention.ms": kept},
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(service: str, verb: str, topic: Topic) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": verb,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "tags": [{"name": service}],
    }
    if topic in COMMANDS and verb == "send":
        found["reply"] = {"channel": {"$ref": f"#/channels/{REPLIES.name}"}}
    # Every replica of the gateway reads all replies, so without a group.
    if verb == "receive" and service in SERVICES and topic is not REPLIES:
        group = {"type": "string", "enum": [DEFAULT_PREFIX + service]}
        found["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return found


def _message(type_: type[Message], example: Mapping[str, Any]) -> dict[str, Any]:
    kind = next((b for b in (Event, Reply) if issubclass(type_, b)), None)
    headers = f"{kind.__name__ if kind else 'Command'}Headers"
    key = key_of(type_, example["value"])
    return {
        "name": type_.wire_name,
        "title": type_.__name__,
        "summary": (type_.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": {
            "type": "object",
            "allOf": [_ref("schemas", headers)],
            "properties": {"ce_type": {"const": type_.wire_name}},
        },
        "payload": _ref("schemas", type_.__name__),
        "bindings": {
            "kafka": {"key": _UUID | {"description": f"`{key}`"}, "bindingVersion": _BINDING}
        },
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _headers(properties: Mapping[str, Any]) -> dict[str, Any]:
    # Optional: other writers may leave out the trace, and no reader needs it.
    required = [name for name in properties if name != "traceparent"]
    return {"type": "object", "properties": properties, "required": required}


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}
