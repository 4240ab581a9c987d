"""A service's log file of JSON lines, rotated as it grows; the terminal shows its errors."""

from pathlib import Path
from typing import Any

from ops.servers.server_log import json_entry

KEEP_BYTES = 10_000_000
_MAX_LENGTH = 300
# A line without an end is no log entry: what exceeds this is written, but not looked at.
_MAX_LINE = 65_536
_SEVERE = ("error", "critical")


class ServiceLog:
    """A service's log file and one earlier file, each of at most `KEEP_BYTES`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()
        # The beginning of a line that has not come whole yet.
        self._begun = b""
        self._errors: list[str] = []
        self._last_line = ""
        self._last_error = ""

    def write(self, output: bytes) -> None:
        """Append what the service has written."""
        while self._size + len(output) > KEEP_BYTES:
            # As many whole lines as there is room for; without an end of a line, all there is.
            room = max(0, KEEP_BYTES - self._size)
            end = output.rfind(b"\n", 0, room) + 1
            if not end and not self._size:
                end = room
            self._file.write(output[:end])
            self._rotate()
            self._read(output[:end])
            output = output[end:]
        self._file.write(output)
        self._size += len(output)
        self._read(output)

    def end_line(self) -> None:
        """End the line that the service has begun: it has ended."""
        if self._begun:
            self.write(b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def new_errors(self) -> list[str]:
        """Return the errors written since the last call, each on one line."""
        errors, self._errors = self._errors, []
        return errors

    def exit_reason(self) -> str:
        """Return the line written since the last call that best explains why the service ended."""
        self._errors.clear()
        entry = json_entry(self._last_line)
        # A last line that is not JSON is the interpreter's: a traceback or a refused start.
        reason = self._last_line if entry is None else self._last_error or entry.get("event")
        self._last_error = self._last_line = ""
        return _truncated(str(reason or "it wrote nothing"))

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_suffix(".log.1"))
        self._file = self.path.open("ab", buffering=0)
        self._size = 0

    def _read(self, output: bytes) -> None:
        *whole, rest = (self._begun + output).split(b"\n")
        self._begun = rest[:_MAX_LINE]
        for line in whole:
            text = line.decode(errors="replace").strip()
            if not text:
                continue
            self._last_line = text
            if error := _error_summary(text):
                self._last_error = error
                self._errors.append(error)


def _error_summary(line: str) -> str:
    """Return the error of a JSON line in short; empty if the line is not an error."""
    entry = json_entry(line)
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
