"""The two parts of a letter: plain text, and HTML made of it with all markup escaped.

The text of a letter to a client ends with the agent's disclosure, a postal address, and the link to
opt out by; and so does the HTML, which is made of it, but shows the link by its name.
"""

import re
from html import escape

from chassis.domain.errors import CallFailed
from chassis.domain.plain_text import paragraphs, printable, split_paragraphs
from services.mailer.transports.languages import html_attributes, unsubscribe
from services.mailer.transports.transport import Ending, OutgoingLetter

_MAX_LENGTH = 100_000
# The last character is never punctuation that belongs to the sentence around the link.
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]")

_PAGE = """\
<!doctype html>
<html {}><head><meta charset="utf-8"></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 40em">
{}
</body></html>
"""


def text_of(outgoing: OutgoingLetter) -> str:
    """Return the plain text part. Raises a final CallFailed above 100,000 characters."""
    letter, ending = outgoing.letter, outgoing.ending
    if len(letter.body) > _MAX_LENGTH:
        raise CallFailed("the letter is too long to be sent", final=True)
    if ending is None:
        return printable(letter.body)
    parts = (
        printable(letter.body),
        paragraphs(ending.disclosure),
        paragraphs(ending.postal_address),
        _way_out(letter.language, ending),
    )
    return "\n\n".join(filter(None, parts))


def html_of(text: str, language: str | None = None, ending: Ending | None = None) -> str:
    """Return the HTML part: the escaped text with paragraphs, line breaks and http(s) links."""
    inside = "\n".join(map(_paragraph, split_paragraphs(text)))
    if ending:
        before = inside.removesuffix(_paragraph(_way_out(language, ending)))
        url, name = escape(ending.opt_out_url), escape(unsubscribe(language))
        inside = f'{before}<p><a href="{url}">{name}</a></p>'
    return _PAGE.format(html_attributes(language), inside)


def _way_out(language: str | None, ending: Ending) -> str:
    return f"{unsubscribe(language)}: {ending.opt_out_url}"


def _paragraph(text: str) -> str:
    parts, end = [], 0
    for link in _LINK.finditer(text):
        url = escape(link[0])
        parts += [escape(text[end : link.start()]), f'<a href="{url}">{url}</a>']
        end = link.end()
    parts.append(escape(text[end:]))
    return f"<p>{''.join(parts)}</p>".replace("\n", "<br>\n")
