"""Poison: records of every kind that no reader can handle."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

from contracts import cloudevents
from contracts.catalogue import TOPIC_OF
from contracts.message import Event, Message
from tests.contracts.samples import NOON

Headers = list[tuple[str, bytes | None]]
# Just below what brokers accept by default, headers included.
NEARLY_TOO_LARGE = 1_000_000
DEEP = 50_000
REQUIRED = (
    "content-type",
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_source",
    "ce_subject",
    "ce_time",
    "ce_correlationid",
)
# Only a header with free text may be empty.
NEVER_EMPTY = tuple(name for name in REQUIRED if name != "ce_subject")

WRONG_HEADERS: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"text/plain"),
    ("content-type", b"application/avro"),
    ("ce_specversion", b"0.3"),
    ("ce_specversion", b"1.1"),
    ("ce_specversion", b"one"),
    ("ce_source", b"anybody"),
    ("ce_source", b"/realtoros/"),
    ("ce_source", b"/realtoros/anybody"),
    ("ce_source", b"/realtoros/operators"),
    ("ce_source", b"/elsewhere/gateway"),
    ("ce_id", b"123"),
    ("ce_id", b"7b1f0c1e-5d3a-4c55-9a51-1f2f3c0a9d0"),
    ("ce_id", b"\x00" * 36),
    ("ce_time", b"yesterday"),
    ("ce_time", b"1769860800"),
    ("ce_time", b"2026-01-31T12:00:00"),
    ("ce_time", b"2026-13-31T12:00:00Z"),
    ("ce_time", b"99999-01-31T12:00:00Z"),
    ("ce_correlationid", b"none"),
    ("ce_causationid", b"none"),
    ("ce_causationid", b"\xff"),
    ("ce_streamversion", b""),
    ("ce_streamversion", b"0"),
    ("ce_streamversion", b"-1"),
    ("ce_streamversion", b"1.5"),
    ("ce_streamversion", b"NaN"),
    ("ce_streamversion", b"first"),
    ("ce_streamversion", b"\xff"),
    ("ce_streamversion", b"9" * 5_000),
)
WRONG_TYPES = ("realtoros.Nonsense.v1", "Nonsense", "realtoros.", "realtoros.\0.v1", "x" * 5_000)
# A list in a list: no field has this type.
WRONG = [[1]]
WRONG_IDS: tuple[Any, ...] = (None, 7, 7.5, True, "", "seven", "\0", {}, [], "\ud800")
WRONG_TIMES: tuple[Any, ...] = (
    None,
    "",
    "yesterday",
    "2026-13-45T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "99999-01-01T00:00:00Z",
    "2026-01-31\0",
    1e300,
    True,
    {},
)


@dataclass(frozen=True, slots=True)
class Poison:
    """One record, and which part of it is wrong.

    A type is read by every reader of the topic, the other headers by those that follow the type,
    the value by those that handle it.
    """

    kind: str
    headers: Headers
    value: bytes | None
    wrong: Literal["type", "headers", "value"]


def poisons(good: Message) -> Iterator[Poison]:
    """Yield poison of every kind, made from a valid message."""
    headers, raw = _record(good)
    for kind, value in (*_texts(raw).items(), *_objects(json.loads(raw), _nullable(good))):
        yield Poison(kind, headers, value, "value")
    yield from _envelopes(good, headers, raw)


def foreign(good: Message) -> Poison:
    """Return a valid message, which is poison in every topic but its own."""
    return Poison(f"a foreign {type(good).__name__}", *_record(good), "headers")


def _record(good: Message) -> tuple[Headers, bytes]:
    """Return headers and value as the message's writer would write them."""
    envelope = cloudevents.about(
        good,
        id=uuid5(UUID(int=0), good.wire_name),
        source=TOPIC_OF[type(good)].writers[0],
        time=NOON,
        correlation=UUID(int=1),
        version=1 if isinstance(good, Event) else None,
    )
    raw: bytes = good.to_json().encode()  # type: ignore[attr-defined]
    return [*cloudevents.write(envelope)], raw


def _texts(raw: bytes) -> dict[str, bytes | None]:
    """Return values that are no JSON objects."""
    open_ended = raw[:-1]
    return {
        "null": None,
        "empty": b"",
        "blank": b" \n",
        "not JSON": b"{not json",
        "cut in half": raw[: len(raw) // 2],
        "cut by a byte": open_ended,
        "trailing text": raw + b"x",
        "twice": raw + raw,
        "trailing comma": open_ended + b",}",
        "single quotes": raw.replace(b'"', b"'"),
        "a comment": b"/* */" + raw,
        "a field without quotes": open_ended + b",x:1}",
        "not UTF-8": open_ended + b',"x":"\xff\xfe"}',
        "UTF-16": raw.decode().encode("utf-16"),
        "UTF-32": raw.decode().encode("utf-32"),
        "a raw control character": open_ended + b',"x":"\x01"}',
        "NUL bytes": b"\0" * 64,
        "a bad escape": open_ended + b',"x":"\\q"}',
        "half a surrogate pair": open_ended + b',"x":"\\ud800"}',
        "gzip": gzip.compress(raw, mtime=0),
        "XML": b"<event/>",
        "JSON null": b"null",
        "JSON true": b"true",
        "a number": b"17",
        "a text": json.dumps(raw.decode()).encode(),
        "a list": b"[" + raw + b"]",
        "bare NaN": b"NaN",
        "deep lists": b"[" * DEEP,
        "deep objects": b'{"x":' * DEEP,
        "a deep field": open_ended + b',"x":' + b"[" * DEEP + b"]" * DEEP + b"}",
        "nearly too large": b"x" * NEARLY_TOO_LARGE,
        "nearly too large, but JSON": b'{"x":"' + b"x" * NEARLY_TOO_LARGE + b'"}',
    }


def _nullable(good: Message) -> set[str]:
    """Return the fields that may be null."""
    fields = type(good).model_fields.items()
    return {name for name, field in fields if not field.is_required() and field.default is None}


def _objects(good: dict[str, Any], nullable: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield JSON objects with a missing or wrong field."""
    yield "no field", b"{}"
    for name, value in good.items():
        yield f"{name} is a list", _json(good | {name: WRONG})
        if name != "personal" and value is not None:
            yield f"{name} is an object", _json(good | {name: {"x": 1}})
    yield "agent_id is missing", _json({n: v for n, v in good.items() if n != "agent_id"})
    wrong = [("agent_id", wrong) for wrong in WRONG_IDS]
    times = [n for n, v in good.items() if isinstance(v, str) and v.endswith("Z")]
    wrong += [(time, wrong) for time in times for wrong in WRONG_TIMES]
    wrong = [(name, value) for name, value in wrong if value is not None or name not in nullable]
    for name, value in wrong:
        yield f"{name} is {value!r}", _json(good | {name: value})
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000):
        text = _json(good | {"agent_id": "?"}).replace(b'"?"', number.encode())
        yield f"agent_id is {number[:9]}", text


def _envelopes(good: Message, headers: Headers, raw: bytes) -> Iterator[Poison]:
    """Yield records with a valid value, and missing or wrong headers."""
    for name in REQUIRED:
        rest = [header for header in headers if header[0] != name]
        wrong: Literal["type", "headers"] = "type" if name == "ce_type" else "headers"
        yield Poison(f"no {name}", rest, raw, wrong)
        yield Poison(f"{name} is null", [*rest, (name, None)], raw, wrong)
        yield Poison(f"{name} is not UTF-8", [*rest, (name, b"\xff\xfe")], raw, wrong)
        yield Poison(f"another {name}, null", [*headers, (name, None)], raw, wrong)
        if name in NEVER_EMPTY:
            yield Poison(f"{name} is empty", [*rest, (name, b"")], raw, wrong)
    for name, value in WRONG_HEADERS:
        rest = [header for header in headers if header[0] != name]
        yield Poison(f"{name} is {value[:20]!r}", [*rest, (name, value)], raw, "headers")
    newer = good.wire_name.removesuffix("v1") + "v2"
    for type_ in (*WRONG_TYPES, newer, good.wire_name.lower()):
        rest = [header for header in headers if header[0] != "ce_type"]
        yield Poison(type_[:40], [*rest, ("ce_type", type_.encode())], raw, "type")
    yield Poison("no headers", [], raw, "type")
    if isinstance(good, Event):
        rest = [header for header in headers if header[0] not in ("ce_subject", "ce_streamversion")]
        yield Poison("no version", [*rest, ("ce_subject", good.stream.encode())], raw, "headers")
        other = [("ce_streamversion", b"1"), ("ce_subject", f"client-{UUID(int=9)}".encode())]
        yield Poison("another's stream", [*rest, *other], raw, "value")
        yield Poison("no stream's name", [*rest, other[0], ("ce_subject", b"")], raw, "value")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
