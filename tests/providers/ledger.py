"""What a provider accepted, as JSON lines that survive a crash of the provider."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson


class Ledger:
    """An append-only file; a request is in it if and only if the provider accepted it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.count = len(path.read_bytes().splitlines()) if path.exists() else 0
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, entry: dict[str, Any]) -> int:
        """Append the entry with its time (UTC, RFC 3339, ms) and number; return the number."""
        self.count += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"number": self.count, "at": at, **entry}
        # One unbuffered write a line: a reader never sees half of one.
        os.write(self._file, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        return self.count


def entries(path: Path) -> list[dict[str, Any]]:
    """Return what the ledger at this path holds, oldest first."""
    if not path.exists():
        return []
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
