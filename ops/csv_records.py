"""The records of a CSV file with the lines they start on, whatever else is broken in it."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Record:
    """The cells of one record, stripped, and the line it starts on (from 1)."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class BrokenRecord:
    """A record whose quotes do not match."""

    line: int
    reason: str


def decode(content: bytes) -> str:
    """Decode what spreadsheets save: UTF-8 or UTF-16 with a mark, UTF-8, else Windows-1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def records(text: str, delimiter: str, *, after: int = 0) -> Iterator[Record | BrokenRecord]:
    """Give the records that start after a line; empty ones are left out.

    A broken record ends with its first line, so that a stray quote does not swallow the file.
    """
    # Unlike splitlines, this ends lines only at CR, LF and CRLF, as the csv module does.
    lines = list(io.StringIO(text, newline=""))
    while after < len(lines):
        reader = csv.reader(islice(lines, after, None), delimiter=delimiter, strict=True)
        start = after
        try:
            for cells in reader:
                stripped = tuple(cell.strip() for cell in cells)
                if any(stripped):
                    yield Record(start + 1, stripped)
                start = after + reader.line_num
        except csv.Error as error:
            yield BrokenRecord(start + 1, _reason(error))
            start += 1
        after = start


def _reason(error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return "a quote that opens here is never closed"
    return f"the quotes do not match ({error})"
