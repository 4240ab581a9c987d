"""Records as a line of text or JSON each, whatever they contain.

Unless asked for, the value's field `personal` is left out, and so is the whole value of a malformed
record: it may hold anything.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from contracts import cloudevents
from contracts.cloudevents import Envelope, EventEnvelope
from contracts.message import rfc3339
from ops.topics.archive import text_or_base64

_BARE = re.compile(r'[^\s"=\\{\[]+')


@dataclass(frozen=True)
class TopicRecord:
    """A record of the topic `topic` (without prefix), as aiokafka returns it."""

    topic: str
    record: Any

    @cached_property
    def headers(self) -> dict[str, bytes | None]:
        """The headers; of two with the same name the last, as for every reader here."""
        return dict(self.record.headers)

    @property
    def type(self) -> str:
        """The record's type: a class's name, with the version from the second on."""
        wire_name = _text(self.headers.get("ce_type"))
        return wire_name.removeprefix("realtoros.").removesuffix(".v1") or "?"

    @cached_property
    def data(self) -> dict[str, Any] | None:
        """The value, or None where it is not a JSON object."""
        try:
            value = json.loads((self.record.value or b"").decode())
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    @cached_property
    def envelope(self) -> Envelope | str:
        """The attributes, or what is wrong with the record."""
        if self.record.value is None:
            return "null value"
        try:
            envelope = cloudevents.read(self.record.headers)
            rfc3339(envelope.time)
        except (cloudevents.Malformed, OverflowError) as error:
            return str(error)
        return "the value is not a JSON object" if self.data is None else envelope

    def is_about(self, client: str) -> bool:
        """Return whether key, stream or value name the client."""
        stream = _text(self.headers.get("ce_subject"))
        named = (
            _text(self.record.key),
            stream.partition("-")[2],
            (self.data or {}).get("client_id"),
        )
        return client in named

    def text(self, *, personal: bool) -> str:
        """Return time, position, type, stream with version, and the fields as `name=value`."""
        record = self.record
        position = f"{self.topic}/{record.partition}/{record.offset}"
        if isinstance(self.envelope, str):
            parts = [
                f"MALFORMED {_token(self.envelope)}",
                f"key={_token(text_or_base64(record.key))}",
            ]
            size = 0 if record.value is None else len(record.value)
            parts.append(
                f"value={_token(text_or_base64(record.value))}" if personal else f"bytes={size}"
            )
            time = _time(record.timestamp)
        else:
            version = (
                f"@{self.envelope.version}" if isinstance(self.envelope, EventEnvelope) else ""
            )
            parts = [_token(self.envelope.subject) + version]
            parts += (
                f"{_token(n)}={_token(v)}" for n, v in self._fields(personal=personal).items()
            )
            time = rfc3339(self.envelope.time)
        return "  ".join([time, position, _token(self.type), " ".join(parts)])

    def json(self, *, personal: bool) -> str:
        """Return all of it as one JSON object; bytes that are not UTF-8 as `{"base64": …}`."""
        record = self.record
        shown = {
            "topic": self.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "key": text_or_base64(record.key),
            "headers": {name: text_or_base64(value) for name, value in self.headers.items()},
        }
        if not isinstance(self.envelope, str):
            return _compact(shown | {"value": self._fields(personal=personal)})
        shown["malformed"] = self.envelope
        return _compact(shown | {"value": text_or_base64(record.value)} if personal else shown)

    def _fields(self, *, personal: bool) -> dict[str, Any]:
        return {n: v for n, v in (self.data or {}).items() if personal or n != "personal"}


def _time(milliseconds: int) -> str:
    try:
        return rfc3339(datetime.fromtimestamp(milliseconds / 1000, UTC))
    except (ValueError, OverflowError, OSError):
        return f"{milliseconds}ms"


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")


def _token(value: Any) -> str:
    """Return plain text as it is, anything else as JSON."""
    plain = isinstance(value, str) and value.isprintable() and _BARE.fullmatch(value)
    return str(value) if plain else _compact(value)


def _compact(value: Any) -> str:
    """Return JSON that is safe for a terminal: no control characters, all of it encodable."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else json.dumps(value, separators=(",", ":"))
