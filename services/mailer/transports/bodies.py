"""The two parts of a letter: plain text, and HTML made of it with all markup escaped."""

import re
from html import escape

from chassis.domain.errors import CallFailed
from chassis.domain.plain_text import printable, split_paragraphs

_MAX_LENGTH = 100_000
# The last character is never punctuation that belongs to the sentence around the link.
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")

_PAGE = """\
<!doctype html>
<html><head><meta charset="utf-8"></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
{}
</body></html>
"""


def text_of(body: str) -> str:
    """Return the plain text part. Raises a final CallFailed above 100,000 characters."""
    if len(body) > _MAX_LENGTH:
        raise CallFailed("the letter is too long to be sent", final=True)
    return printable(body)


def html_of(text: str) -> str:
    """Return the HTML part: the escaped text with paragraphs, line breaks and http(s) links."""
    return _PAGE.format("\n".join(map(_paragraph, split_paragraphs(text))))


def _paragraph(text: str) -> str:
    parts, end = [], 0
    for link in _LINK.finditer(text):
        url = escape(link[0])
        parts += [escape(text[end : link.start()]), f'<a href="{url}">{url}</a>']
        end = link.end()
    parts.append(escape(text[end:]))
    return f"<p>{''.join(parts)}</p>".replace("\n", "<br>\n")
