"""Text from outside becomes printable lines and paragraphs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.plain_text import (
    UNPRINTABLE,
    paragraphs,
    printable,
    single_line,
    split_paragraphs,
)

# Any text at all, and often one of white space and of what must not be printed.
TEXTS = st.text() | st.text(alphabet="ab \t\r\n\x00\x0b\x1c\x85\u2028\u202e\ud800")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Maria \t Lopez\u00a0 ", "Maria Lopez"),
        ("Hi\r\nBcc: all@x\x00", "Hi Bcc: all@x"),
        ("evil\u202egnp.exe", "evil gnp.exe"),
        ("a\u2028b\ud800c", "a b c"),
        ("李 🏡", "李 🏡"),
        ("\n\x07", ""),
    ],
)
def test_a_line_has_single_spaces_where_white_space_or_unprintable_characters_were(
    text: str, line: str
) -> None:
    assert single_line(text) == line


def test_a_printable_text_keeps_its_lines_and_tabs() -> None:
    assert printable("\r\n One\r\ttwo\u202e\x07 \r\n\n three ") == "One\n\ttwo \n\n three"


def test_paragraphs_have_one_blank_line_between_them() -> None:
    assert paragraphs("\n\nOne\r\nline\r\n \t\r\n\r\nTwo\u202e\n") == "One\nline\n\nTwo"
    assert paragraphs(" \x00\n") == ""


def test_a_text_is_split_at_blank_lines_only() -> None:
    assert split_paragraphs("One\nline\n \nTwo\n\n\nThree") == ["One\nline", "Two", "Three"]
    assert split_paragraphs("") == [""]


@given(text=TEXTS)
def test_nothing_unprintable_is_left(text: str) -> None:
    for made in (single_line(text), printable(text), paragraphs(text)):
        assert not re.search(f"[{UNPRINTABLE}]", made)
        assert made == made.strip()
    assert len(single_line(text).splitlines()) <= 1


@given(text=TEXTS)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    for clean in (single_line, printable, paragraphs):
        assert clean(clean(text)) == clean(text)
