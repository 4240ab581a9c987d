"""Broken CSV files are read in linear time, and as if each record were tried from its own line."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts import addresses
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.columns import MAX_COLUMNS, MAX_TITLE
from services.gateway.leads.parsing import Parsed, parse
from services.gateway.leads.records import (
    DELIMITERS,
    MAX_RECORD,
    BrokenRecord,
    Record,
    records,
)
from services.gateway.leads.words import vocabulary

# Each line is read at most three times for a delimiter; that of the header is tried out.
READ_AT_MOST = 3
PARSED_AT_MOST = READ_AT_MOST * (len(DELIMITERS) + 1)

# On a busy machine even making a text up takes long.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUOTES = st.text(alphabet='ab",;\n\r', max_size=40)
REPEATED = st.builds(lambda text, times: text * times, QUOTES, st.integers(1, 200))


class Read:
    """How many characters the csv module has been given since the test began."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.characters = 0
        reader = csv.reader

        def counting(lines: Iterable[str], **options: Any) -> Any:
            return reader(self._count(lines), **options)

        monkeypatch.setattr(csv, "reader", counting)

    def _count(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self.characters += len(line)
            yield line


def restarted(text: str, delimiter: str) -> Iterator[Record | BrokenRecord]:
    """Read as `records` has to, but again from each line that follows a broken one."""
    lines = list(io.StringIO(text, newline=""))
    start = 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            unclosed = "unexpected end of data" in str(error)
            reason = f"the quotes do not match ({error})"
            yield BrokenRecord(
                start + 1, "a quote that opens here is never closed" if unclosed else reason
            )
            start += 1
        else:
            stripped = tuple(cell.strip() for cell in cells)
            if any(stripped):
                yield Record(start + 1, stripped)
            start += reader.line_num


@UNHURRIED
@given(QUOTES, st.sampled_from(",;"))
@example('a","b\n' * 5, ",")
@example('"a\n"b\n"c"d\n"', ",")
def test_every_record_is_read_as_if_it_were_tried_from_its_own_line(
    text: str, delimiter: str
) -> None:
    assert list(records(text, delimiter)) == list(restarted(text, delimiter))


@UNHURRIED
@given(REPEATED, st.sampled_from(",;"))
@example('a","b\n' * 500, ",")
@example('"a\n' * 501, ",")
@example('"a\r"b"c\r' * 300, ";")
def test_no_text_is_read_more_than_three_times(text: str, delimiter: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        read = Read(monkeypatch)
        list(records(text, delimiter))
    assert read.characters <= READ_AT_MOST * len(text)


def parsed_in_linear_time(text: str, monkeypatch: pytest.MonkeyPatch) -> Parsed:
    read = Read(monkeypatch)
    try:
        return parse(text)
    finally:
        assert read.characters <= PARSED_AT_MOST * len(text)


@pytest.mark.parametrize("line", ['a","b\n', 'x,"\n', '"a\n', 'a,"b"c\n', '"a,""\n'])
@pytest.mark.parametrize("last", ["", '"', "\n"])
def test_120_kb_of_lines_that_open_a_quote_are_parsed_in_linear_time(
    line: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "name,email\n" + line * (120_000 // len(line)) + last
    parsed = parsed_in_linear_time(text, monkeypatch)
    assert not parsed.leads
    assert parsed.complaints[0].line == 2


def test_a_quote_that_never_ends_costs_its_line_however_long_the_file_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = "".join(f"Ann,ann{n}@example.com\n" for n in range(10_000))
    parsed = parsed_in_linear_time(f'name,email\n"Bob,\n{lines}', monkeypatch)
    [complaint] = parsed.complaints
    assert str(complaint).startswith(f"line 2: is longer than {MAX_RECORD} characters;")
    assert len(parsed.leads) == 10_000


def test_a_line_may_be_as_long_as_a_record_and_no_longer() -> None:
    cell = "x" * (MAX_RECORD - len(",,\n"))
    [record] = records(f"{cell},,\n", ",")
    assert record == Record(1, (cell, "", ""))
    [broken] = records(f"{cell},,,\n", ",")
    assert isinstance(broken, BrokenRecord)
    assert broken.reason.startswith(f"is longer than {MAX_RECORD} characters")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (MAX_COLUMNS + 1, rf"line 1: the header has {MAX_COLUMNS + 1} columns, {MAX_COLUMNS} are"),
        (40_000, r"line 1: the header has 40000 columns"),
        (80_000, r"line 1: is longer than 131072 characters"),
    ],
)
def test_a_file_of_many_columns_is_refused(columns: int, reason: str) -> None:
    titles = "name,email" + ",a" * (columns - 2)
    with pytest.raises(Unreadable, match=reason):
        parse(f"{titles}\nAnn,ann@example.com{',1' * columns}\n")


def test_a_file_may_have_the_most_columns_and_titles_as_long_as_that() -> None:
    titles = ["name", "email", *("t" * (MAX_TITLE - 3) + f"{n:03}" for n in range(3, 201))]
    parsed = parse(f"{','.join(titles)}\nAnn,ann@example.com,1{',' * 300}\n")
    [lead] = parsed.leads
    assert lead.custom_fields == {titles[2]: "1"}
    with pytest.raises(Unreadable, match="line 1: the title of column 3 is 251 characters long"):
        parse(f"name,email,{'t' * 251}\nAnn,ann@example.com,1\n")


def test_a_line_with_too_many_values_keeps_some_and_says_so() -> None:
    parsed = parse(f"name,email\nAnn,ann@example.com{',1' * 10_000}\nBob,bob@example.com\n")
    assert [lead.name for lead in parsed.leads] == ["Ann", "Bob"]
    assert [(w.field, w.reason[:22]) for w in parsed.leads[0].warnings] == [
        ("", "has 10002 values where"),
        ("custom_fields", "10000 other columns ar"),
    ]


def test_only_short_words_are_normalised_and_messages_do_not_quote_long_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lengths = []
    normalize = unicodedata.normalize

    def noted(form: Any, text: str) -> str:
        lengths.append(len(text))
        return normalize(form, text)

    monkeypatch.setattr(unicodedata, "normalize", noted)
    monkeypatch.setattr(addresses, "normalize", noted)
    # The marks' order is mended one by one: twice as many take four times as long.
    marks = "a" + "\u0316\u0301" * 20_000
    parsed = parse(
        "name,email,stage,property type\n"
        f"Ann,{marks}@example.com,{marks},\n"
        f"Bob,bob@example.com,lead,{marks}\n"
        f"Cid,cid@example.com,,{marks}\n"
    )
    told = [*parsed.complaints, *(w for lead in parsed.leads for w in lead.warnings)]
    assert [(c.line, c.field) for c in told] == [
        *((2, "email"), (3, "property_type"), (4, "property_type"))
    ]
    assert max(lengths) <= vocabulary.LONGEST
    assert all(len(complaint.reason) < 400 for complaint in told)
