"""Text from outside (people, providers, the model) made harmless: printable lines and paragraphs.

None of it escapes HTML or cuts to a length.
"""

import re

# Control characters, line and paragraph separators, lone surrogates, and the marks that reverse
# the direction of writing, with which a name can pretend to be another.
UNPRINTABLE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_LINE_SEPARATORS = re.compile(f"[\\s{UNPRINTABLE}]+")
_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]+")
_BLANK_LINES = re.compile(r"\n\s*\n")


def single_line(text: str) -> str:
    """Return `text` as one printable line with single spaces."""
    return _LINE_SEPARATORS.sub(" ", text).strip()


def printable(text: str) -> str:
    r"""Return `text` stripped, without unprintable characters, and with lines that end in \n."""
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def split_paragraphs(text: str) -> list[str]:
    """Split `text` at its blank lines."""
    return _BLANK_LINES.split(text)


def paragraphs(text: str) -> str:
    """Return `text` as printable paragraphs, one blank line between them."""
    return "\n\n".join(split_paragraphs(printable(text)))
