"""Clients as the lines of a CSV (RFC 4180) that the import reads back. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.gateway.leads.formulas import guarded

# Custom fields are one column of JSON: they may be of any type, and of any name.
CUSTOM_FIELDS = "custom_fields"
COLUMNS = (
    *("name", "email", "phone", "property_address", "property_type", "stage", "notes"),
    CUSTOM_FIELDS,
)


def lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write a line for each client, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        fields = row.get(CUSTOM_FIELDS)
        custom = json.dumps(fields, ensure_ascii=False) if fields else ""
        writer.writerow([*(guarded(row.get(column) or "") for column in COLUMNS[:-1]), custom])
    return text.getvalue().encode()


def header() -> bytes:
    """Write the line of titles."""
    return (",".join(COLUMNS) + "\r\n").encode()
