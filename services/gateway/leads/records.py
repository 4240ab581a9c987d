"""The records of a CSV file with the lines they start on, whatever else is broken in it."""

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from services.gateway.leads.formulas import without_guard

DELIMITERS = ",;\t|"
# What a sender may name, as Python calls it. Others that it knows take minutes for a megabyte.
CHARSETS = {"ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"} | {
    "iso8859-1",
    "iso8859-15",
}


class Unreadable(Exception):
    """The file is no use at all; the message says why."""


@dataclass(frozen=True)
class Record:
    """The cells of one record, stripped and unguarded, and the line it starts on (from 1)."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class BrokenRecord:
    """A record whose quotes do not match."""

    line: int
    reason: str


def decode(content: bytes, charset: str | None = None) -> str:
    """Decode what spreadsheets save: UTF-8 or UTF-16 with a mark, UTF-8, else Windows-1252.

    Raises Unreadable when it is none of them, or not of the charset that the sender names.
    """
    if charset:
        encodings = [charset] if _known(charset) else []
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8", "cp1252"]
    for encoding in encodings:
        with contextlib.suppress(ValueError):
            return content.decode(encoding).removeprefix("\ufeff")
    raise Unreadable(f"is no text in {charset or 'UTF-8, UTF-16 or Windows-1252'}")


def _known(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in CHARSETS
    except LookupError:
        return False


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
                stripped = tuple(without_guard(cell.strip()) for cell in cells)
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
