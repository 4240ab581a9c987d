"""A process that reads files of leads: `python -m services.gateway.leads.worker`.

A request on stdin is two frames: the other arguments of `rows_of` as a JSON object, and the file.
The answer on stdout is frames of JSON: any number of `["clients", rows]`, `["refused", rows]` and
`["columns", rows]`, and one `["end", ""]`; or only `["unreadable", reason]` or
`["failed", traceback]`. A frame is its length in four bytes (big-endian), then so many bytes. The
process ends when stdin does.
"""

import json
import os
import struct
import sys
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Literal

from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.rows import rows_of

LENGTH = struct.Struct(">I")
# The gateway decodes a frame at a time, which must not keep its event loop for long.
ROWS_AT_ONCE = 100
# Whoever waits for a page comes before a file.
NICENESS = 5

Kind = Literal["clients", "refused", "columns", "end", "unreadable", "failed"]


def frame(content: bytes) -> bytes:
    """Return the content with its length before it."""
    return LENGTH.pack(len(content)) + content


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while (options := _read(requests)) is not None:
        content = _read(requests)
        if content is None:
            return
        answers.writelines(
            frame(json.dumps(answer, ensure_ascii=False).encode())
            for answer in _answers(content, json.loads(options))
        )
        answers.flush()


def _answers(content: bytes, options: dict[str, Any]) -> Iterator[tuple[Kind, Any]]:
    try:
        # Somewhere it is tomorrow already.
        today = datetime.now(UTC).date() + timedelta(days=1)
        rows = rows_of(content, **options, today=today)
    except Unreadable as error:
        yield "unreadable", str(error)
    except Exception:  # noqa: BLE001 - whatever it is, the gateway has to report it
        yield "failed", traceback.format_exc()
    else:
        parts: tuple[tuple[Kind, Sequence[Any]], ...]
        parts = (
            *(("clients", rows.clients), ("refused", rows.refused)),
            ("columns", rows.columns),
        )
        for kind, part in parts:
            for start in range(0, len(part), ROWS_AT_ONCE):
                yield kind, part[start : start + ROWS_AT_ONCE]
        yield "end", ""


def _read(requests: BinaryIO) -> bytes | None:
    """Return the next frame's content, or None when the requests end before or inside it."""
    length = requests.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    size = LENGTH.unpack(length)[0]
    content = requests.read(size)
    return content if len(content) == size else None


if __name__ == "__main__":
    os.nice(NICENESS)
    serve(sys.stdin.buffer, sys.stdout.buffer)
