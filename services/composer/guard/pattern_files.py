"""The patterns of this room: regular expressions in text files, which need not be read as code.

A line `name = …` defines what `<name>` stands for in the lines below it; `[flag]` begins the
patterns that raise this flag, one a line. Small and capital letters are the same; `^` and `$` are
the ends of a line. `#` begins a comment line.
"""

import re
from collections.abc import Sequence
from pathlib import Path

_FOLDER = Path(__file__).parent / "patterns"
_NAME = re.compile(r"<([a-z_]+)>")
_DEFINITION = re.compile(r"([a-z_]+) = (.*)")
_FLAG = re.compile(r"\[([a-z_]+)\]")


def load(
    file: str, flags: re.RegexFlag = re.IGNORECASE | re.MULTILINE
) -> list[tuple[str, re.Pattern[str]]]:
    """Return the flags of a file, each with one pattern that matches whatever raises it."""
    names: dict[str, str] = {}
    by_flag: dict[str, list[str]] = {}
    patterns: list[str] = []
    for line in (_FOLDER / f"{file}.txt").read_text().splitlines():
        if not line or line.startswith("# "):
            continue
        if flag := _FLAG.fullmatch(line):
            patterns = by_flag.setdefault(flag[1], [])
        elif defined := _DEFINITION.fullmatch(line):
            names[defined[1]] = _filled(defined[2], names)
        else:
            patterns.append(_filled(line, names))
    return [(flag, re.compile(_joined(lines), flags)) for flag, lines in by_flag.items()]


def _joined(lines: Sequence[str]) -> str:
    """Return one pattern of all. What begins with a word is not tried within one, to be quick."""
    by_word = [line.removeprefix(r"\b") for line in lines if line.startswith(r"\b")]
    others = [line for line in lines if not line.startswith(r"\b")]
    return "|".join([rf"\b(?:{'|'.join(by_word)})", *others] if by_word else others)


def _filled(pattern: str, names: dict[str, str]) -> str:
    return _NAME.sub(lambda name: names[name[1]], pattern)
