"""Clients as the lines of a CSV (RFC 4180) that the import reads back. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.gateway.leads.formulas import guarded

# Custom fields are one column of JSON: they may be of any type, and of any name.
CUSTOM_FIELDS = "custom_fields"
# Those of the first export, by which a file of ours is recognised.
FIRST_COLUMNS = (
    *("name", "email", "phone", "property_address", "property_type", "stage", "notes"),
    CUSTOM_FIELDS,
)
COLUMNS = (*FIRST_COLUMNS, "greeting", "language", "time_zone", "source", "lead_since", "review")
# Without it Excel reads UTF-8 as Windows-1252.
BYTE_ORDER_MARK = "\ufeff"
# Other spreadsheets' delimiters. In JSON they only stand in strings, where they can be escaped.
_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in ";|"}


def header() -> bytes:
    """Return what the file begins with: the byte order mark and the line of titles."""
    return (BYTE_ORDER_MARK + _text([COLUMNS])).encode()


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a line for each client, in UTF-8."""
    return _text(map(_cells, rows)).encode()


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        _json(row.get(column)) if column == CUSTOM_FIELDS else guarded(row.get(column) or "")
        for column in COLUMNS
    ]


def _json(fields: Mapping[str, Any] | None) -> str:
    return json.dumps(fields, ensure_ascii=False).translate(_ESCAPED) if fields else ""


def _text(rows: Iterable[Iterable[str]]) -> str:
    """Write every cell in quotes, so that none is taken for two."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue()
