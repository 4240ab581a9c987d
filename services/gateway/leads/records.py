"""The records of a CSV file with the lines they start on, whatever else is broken in it."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.gateway.leads.formulas import plain_text, without_guards

DELIMITERS = ",;\t|"
# In characters. A command made of a longer one might not fit into a message of Kafka's.
MAX_RECORD = 131_072
_TOO_LONG = f"is longer than {MAX_RECORD} characters; is a quote that opens here never closed?"
_UNCLOSED = "a quote that opens here is never closed"


@dataclass(frozen=True)
class Record:
    """The cells of one record, without guards, and the line it starts on (from 1)."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class BrokenRecord:
    """A record whose quotes do not match, or that is too long."""

    line: int
    reason: str


def records(
    text: str, delimiter: str, *, after: int = 0, verbatim: bool = False
) -> Iterator[Record | BrokenRecord]:
    """Yield the records that start after a line; empty ones are left out.

    A broken record ends with its first line, so that a stray quote does not swallow the file.
    Cells are stripped unless `verbatim`, which also takes off the guards inside them. The time is
    linear in the length of the text, whatever is in it.
    """
    lines = _Lines(text, after)
    # Some write a blank before a quote that holds a delimiter; else a quote there is a sign.
    spaced = not verbatim and bool(re.search(rf'[{delimiter}] +"[^"\r\n]*[{delimiter}]', text))
    while lines.left:
        reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=spaced)
        try:
            for cells in reader:
                if verbatim:
                    read = tuple(map(without_guards, cells))
                else:
                    read = tuple(plain_text(cell) for cell in cells)
                if any(read):
                    yield Record(lines.start + 1, read)
                lines.end_record()
        except csv.Error as error:
            yield BrokenRecord(lines.start + 1, lines.break_record(error))


class _Lines:
    """The lines of a text as the csv module asks for them, each at most three times.

    After a broken record, reading goes on with that record's second line. What follows the start
    of a line inside a cell reads the same for every record that gets there; so where this ended
    badly once, no other record is read on.
    """

    def __init__(self, text: str, start: int) -> None:
        # Unlike splitlines, this ends lines only at CR, LF and CRLF, as the csv module does.
        self._lines: Sequence[str] = list(io.StringIO(text, newline=""))
        self.start = start
        self._next = start
        self._length = 0
        # A cell that is open where a line before this one begins ends badly, for this reason.
        self._bad_until = start
        self._reason = ""

    @property
    def left(self) -> bool:
        """Whether there is another record."""
        return self.start < len(self._lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._next == len(self._lines) or self.start < self._next < self._bad_until:
            raise StopIteration
        line = self._lines[self._next]
        self._next += 1
        self._length += len(line)
        if self._length > MAX_RECORD:
            raise csv.Error(_TOO_LONG)
        return line

    def end_record(self) -> None:
        """Let the next record start where this one ended."""
        self.start = self._next
        self._length = 0

    def break_record(self, error: csv.Error) -> str:
        """Let the next record start on the second line of this one; return what is wrong."""
        reason = _reason(error)
        if self._next >= self._bad_until:
            self._bad_until, self._reason = self._next, reason
        elif reason == _UNCLOSED:
            reason = self._reason
        self.start += 1
        self._next = self.start
        self._length = 0
        return reason


def _reason(error: csv.Error) -> str:
    if str(error) == _TOO_LONG:
        return _TOO_LONG
    if "unexpected end of data" in str(error):
        return _UNCLOSED
    return f"the quotes do not match ({error})"
