"""The guard on cells that a spreadsheet would take for a formula (OWASP: CSV injection)."""

import re

GUARD = "'"
# An apostrophe that stands there already is guarded too, so that the guard can be told from it.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9(][0-9 ().-]*")


def guarded(cell: str) -> str:
    """Put an apostrophe before what is no plain number and begins as formulas do."""
    if _FORMULA.match(cell) and not _PLAIN_NUMBER.fullmatch(cell):
        return GUARD + cell
    return cell


def without_guard(cell: str) -> str:
    """Take the apostrophe off again."""
    return cell[len(GUARD) :] if _GUARDED.match(cell) else cell
