"""What makes a text another thing than the body of a plain letter: JSON, Markdown, HTML, headers.

Also a closing, since the agent's signature is added afterwards.
"""

# ruff: noqa: RUF001 -- dashes as they stand before names

import re
from collections.abc import Iterator

from chassis.domain.plain_text import single_line
from services.composer.guard.letter_text import LetterText, Match, first_matches
from services.composer.guard.pattern_files import load

_FLAGS = re.IGNORECASE | re.MULTILINE
_MARKUP = load("markup")
_HEADERS = re.compile(
    r"^\W{0,3}(?:subject(?: line)?|re|fwd?|aw|wg|to|from|b?cc|reply-to|betreff|asunto|objet|assunto"
    r"|oggetto|主题)\s*:\s*\S|\bb?cc\s*:",
    _FLAGS,
)
_REPLIES = re.compile(r"^\W*(?:subject(?: line)?|re|fwd?|aw|wg|to|from)\s*:|\bb?cc\s*:", _FLAGS)

_CLOSING = (
    r"(?:(?:with )?(?:(?:best|kind|warm|warmest|kindest|many|all my|my best|sincere) )*(?:regards"
    r"|wishes)"
    r"|(?:all (?:the|my) |my (?:very )?)?best|(?:yours )?sincerely(?: yours)?"
    r"|yours(?: truly| faithfully)?|(?:very )?truly yours|warmly|cordially|cheers|respectfully"
    r"|take care|talk soon|see you soon|speak soon|until (?:then|soon)|many thanks"
    r"|(?:thanks|thank you)(?: again| so much| very much| in advance)?|gratefully|with gratitude"
    r"|your (?:agent|realtor|friend)|saludos(?: cordiales)?|un (?:cordial )?saludo|atentamente"
    r"|cordialmente|un abrazo|mit (?:freundlichen|besten|herzlichen) grüßen"
    r"|(?:freundliche|viele|liebe|beste|herzliche) grüße|cordialement|bien à vous|amicalement"
    r"|atenciosamente|abraços|cordiali saluti|distinti saluti)"
)
_CLOSING_LINE = re.compile(rf"^\W*{_CLOSING}\s*,\W*$", re.IGNORECASE)
_CLOSING_ALONE = re.compile(rf"^\W*{_CLOSING}\s*[.!–—-]*$", re.IGNORECASE)
_NEVER_A_SENTENCE = re.compile(
    r"regards|sincerely|cordially|truly|saludos|atentamente|grüße|cordial", re.IGNORECASE
)
_DEVICE = re.compile(r"^sent from my\b", re.IGNORECASE)
# A signature has few lines, and short ones.
_LAST_LINES = 6
_SHORT_LINE = 60
_FEWEST_LETTERS = 20


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield what does not belong into the body of a letter."""
    yield from first_matches(_MARKUP, letter.body)
    yield from first_matches(_MARKUP, letter.subject)
    if found := _HEADERS.search(letter.body):
        yield "header", found[0]
    if found := _REPLIES.search(letter.subject):
        yield "header", found[0]
    first = letter.body.partition("\n")[0]
    if len(first.split()) > 1 and _words(first) == _words(letter.subject):
        yield "header", first
    if closing := _closing(letter):
        yield "signature", closing
    if sum(map(str.isalpha, letter.body)) < _FEWEST_LETTERS:
        yield "empty", letter.body


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _closing(letter: LetterText) -> str | None:
    """Return the line with which the body already closes, if it does."""
    lines = [line.strip() for line in letter.body.splitlines() if line.strip()]
    names = _names(letter)
    last = lines[1:][-_LAST_LINES:]
    for number, line in enumerate(last, 1):
        after = last[number:]
        if _CLOSING_LINE.match(line) or _DEVICE.match(line) or _is_name(line, names):
            return line
        if _CLOSING_ALONE.match(line) and (
            _NEVER_A_SENTENCE.search(line) or any(len(other) < _SHORT_LINE for other in after)
        ):
            return line
    inline = re.search(
        rf"(?:^|[.!?]\s+)\W*{_CLOSING}\s*[,–—-]+\s*(?:{'|'.join(map(re.escape, names))})\b[^.?]*$",
        last[-1] if last else "",
        re.IGNORECASE,
    )
    return inline[0] if inline else None


def _names(letter: LetterText) -> list[str]:
    """Return the agent's names, longest first."""
    agent = letter.recipient.agent
    name = single_line(agent.name)
    return [each for each in (name, agent.company, name.split()[0]) if each]


def _is_name(line: str, names: list[str]) -> bool:
    """Return whether the line is the agent's name, alone or with what follows it in a signature."""
    bare = line.strip("-–—~*_ .,!").casefold()
    for name in names:
        if bare == name.casefold():
            return True
        after = bare.removeprefix(name.casefold())
        if after != bare and after[:1] in {",", "|", "·", "-"} and len(bare) < _SHORT_LINE:
            return not line.rstrip().endswith((".", "?", "!"))
    return False
