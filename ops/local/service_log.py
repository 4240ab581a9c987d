"""A service's log file of JSON lines, of which the terminal shows the errors."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEEP_BYTES = 10_000_000
_MAX_LENGTH = 300
_SEVERE = ("error", "critical")


class ServiceLog:
    """A service's log file, read from its present end on."""

    def __init__(self, path: Path) -> None:
        """Rotate a file of more than `KEEP_BYTES`; one earlier file is kept."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > KEEP_BYTES:
            path.rename(path.with_suffix(".log.1"))
        path.touch()
        self._read_to = path.stat().st_size
        self._last_line = ""
        self._last_error = ""

    def new_errors(self) -> list[str]:
        """Return the errors written since the last call, each on one line."""
        errors = []
        for line in self._new_lines():
            self._last_line = line
            error = _error_summary(line)
            if error:
                self._last_error = error
                errors.append(error)
        return errors

    def exit_reason(self) -> str:
        """Return the line written since the last call that best explains why the service ended."""
        self.new_errors()
        entry = _entry(self._last_line)
        # A last line that is not JSON is the interpreter's: a traceback or a refused start.
        reason = self._last_line if entry is None else self._last_error or entry.get("event")
        self._last_error = self._last_line = ""
        return _truncated(str(reason or "it wrote nothing"))

    def _new_lines(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                # A line without an end is still being written: read it next time.
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                text = line.decode(errors="replace").strip()
                if text:
                    yield text


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _error_summary(line: str) -> str:
    """Return the error of a JSON line in short; empty if the line is not an error."""
    entry = _entry(line)
    if entry is None or str(entry.get("level", "")).casefold() not in _SEVERE:
        return ""
    parts = [str(entry.get("event", "")), str(entry.get("error") or "")]
    parts.append(_exception(entry.get("exception")))
    return _truncated(": ".join(dict.fromkeys(part for part in parts if part)))


def _exception(value: Any) -> str:
    """Return what was raised, from a traceback as structlog writes it (text or dictionaries)."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{value[0].get('exc_type')}: {value[0].get('exc_value')}"
    return value.strip().rpartition("\n")[2] if isinstance(value, str) else ""


def _truncated(text: str) -> str:
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"
