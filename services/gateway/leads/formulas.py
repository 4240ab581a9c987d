"""The guard on cells that a spreadsheet would take for a formula (OWASP: CSV injection)."""

import re

GUARD = "'"
# An apostrophe that stands there already is guarded too, so that the guard can be told from it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
# How a text of digits is kept from being read as a number.
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9(][0-9 ().-]*")
# What follows in a cell of its own, for a spreadsheet that separates by another character than the
# comma: quotes hold a cell together only where the cell begins.
_SPLIT_OFF = r"[;|\t\r\n][\"' ]*"
_INNER_FORMULA = re.compile(rf"({_SPLIT_OFF})(?=[=+\-@])")
_INNER_GUARDED = re.compile(rf"({_SPLIT_OFF}){GUARD}(?=[=+\-@])")


def guarded(cell: str) -> str:
    """Put an apostrophe before what is no plain number and begins as formulas do."""
    guarded_inside = _INNER_FORMULA.sub(rf"\1{GUARD}", cell)
    if _FORMULA.match(cell) and not _PLAIN_NUMBER.fullmatch(cell):
        return GUARD + guarded_inside
    return guarded_inside


def without_guard(cell: str) -> str:
    """Take off the apostrophe at the beginning: what other exports write as well."""
    return cell[len(GUARD) :] if _GUARDED.match(cell) else cell


def plain_text(cell: str) -> str:
    """Return what a spreadsheet shows of the cell: without the guard, of `="02134"` the text."""
    cell = without_guard(cell.strip())
    if text := _TEXT_FORMULA.fullmatch(cell):
        return text[1].replace('""', '"').strip()
    return cell


def without_guards(cell: str) -> str:
    """Take off every apostrophe that `guarded` puts, also inside of the cell."""
    return _INNER_GUARDED.sub(r"\1", without_guard(cell))
