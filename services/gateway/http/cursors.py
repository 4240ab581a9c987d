"""Cursors: where a list goes on, as the sorted fields of the last row that was shown.

A row added or removed before it moves nothing, as it does with numbers of pages. A cursor holds
what its caller has read, so it is not sealed; what comes in is checked like any other input.
"""

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from litestar.exceptions import ValidationException

from chassis.mongo.client import Raw

CURSOR: Final = "cursor"
# Fields with their directions, 1 or -1; the last one is unique.
Order = list[tuple[str, int]]
_VALUES: Final = (str, int, datetime, UUID, type(None))


def cursor_of(row: Raw, order: Order, options: CodecOptions[Raw]) -> str:
    """Return the cursor of what comes after the row."""
    values = {field: row.get(field) for field, _ in order}
    encoded: bytes = bson.encode(values, codec_options=options)
    return base64.urlsafe_b64encode(encoded).decode().rstrip("=")


def rows_after(cursor: str, order: Order, options: CodecOptions[Raw]) -> Raw:
    """Return the query for the rows that come after the cursor's.

    Raises ValidationException when the cursor is not one of a list in this order.
    """
    try:
        encoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        values: Raw = bson.decode(encoded, codec_options=options)
    except (ValueError, binascii.Error, BSONError, OverflowError):
        values = {}
    known = all(isinstance(value, _VALUES) for value in values.values())
    if not known or values.keys() != {field for field, _ in order}:
        reason = "is not from the Link header of a list in this order: begin without it"
        raise ValidationException(extra=[{"key": CURSOR, "message": reason}])
    return _after(order, values)


def _after(order: Order, values: Raw) -> Raw:
    """Return the query for rows beyond the values: the first field bounds the scan of the index.

    Rows without a field come before all others, as null does.
    """
    (field, direction), *rest = order
    beyond: Raw
    not_before: Raw
    match direction, values[field]:
        case 1, None:
            beyond, not_before = {field: {"$ne": None}}, {}
        case 1, value:
            beyond, not_before = {field: {"$gt": value}}, {field: {"$gte": value}}
        case _, None:
            beyond, not_before = {field: {"$in": []}}, {field: None}
        case _, value:
            beyond = {field: {"$not": {"$gte": value}}}
            not_before = {field: {"$not": {"$gt": value}}}
    return {"$and": [not_before, {"$or": [beyond, _after(rest, values)]}]} if rest else beyond
