"""What a service writes: JSON lines in a file, of which the errors matter to the terminal."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEEP_BYTES = 10_000_000
_SHOWN = 300
_SEVERE = ("error", "critical")


class ServiceLog:
    """A service's log file, read from where it ended when this was made."""

    def __init__(self, path: Path) -> None:
        """Move a file of more than `KEEP_BYTES` aside; it replaces the one moved before it."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > KEEP_BYTES:
            path.rename(path.with_suffix(".log.1"))
        path.touch()
        self._read_to = path.stat().st_size
        self._last_line = ""
        self._last_error = ""

    def new_errors(self) -> list[str]:
        """Give the errors written since the last call, each on one line."""
        errors = []
        for line in self._new_lines():
            self._last_line = line
            told = _told(line)
            if told:
                self._last_error = told
                errors.append(told)
        return errors

    def last_words(self) -> str:
        """Give, of what was written since the last call of this, what best says why it ended."""
        self.new_errors()
        entry = _entry(self._last_line)
        # What is not JSON at the end is the interpreter's own: a traceback or a refused start.
        words = self._last_line if entry is None else self._last_error or entry.get("event")
        self._last_error = self._last_line = ""
        return _shortened(str(words or "it wrote nothing"))

    def _new_lines(self) -> Iterator[str]:
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                # What has no end yet is being written: it is read the next time.
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


def _told(line: str) -> str:
    """Tell the error of a JSON line in short; empty for lines that are none."""
    entry = _entry(line)
    if entry is None or str(entry.get("level", "")).casefold() not in _SEVERE:
        return ""
    parts = [str(entry.get("event", "")), str(entry.get("error") or "")]
    parts.append(_exception(entry.get("exception")))
    return _shortened(": ".join(dict.fromkeys(part for part in parts if part)))


def _exception(value: Any) -> str:
    """Tell what was raised, from a traceback as structlog writes it (text or dictionaries)."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{value[0].get('exc_type')}: {value[0].get('exc_value')}"
    return value.strip().rpartition("\n")[2] if isinstance(value, str) else ""


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
