"""Prices and market figures: the model knows none, whatever it writes."""

import re
from collections.abc import Iterator

from services.composer.guard.letter_text import LetterText, Match

_NOT_MONEY = (
    r"(?!\s*-?\s*(?:sq|square|ft\b|feet|foot|acres?|lots?\b|people|residents|miles|km\b|steps"
    r"|visitors"
    r"|units|students|homes|listings|runs?\b|races?\b|walk\b|times|words|bc\b|ad\b))"
)
_UNITS = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)"
)
_PRICE = re.compile(
    r"[$€£¥₹]\s?\d"
    r"|\b(?:usd|eur|gbp|cad|aud|us\$)\s?\d"
    r"|\b\d[\d.,]{0,15}\s?(?:k|m|mm)?\s?(?:[$€£]|(?:usd|eur|gbp|cad|aud|dollars?|euros?|pounds?|bucks"
    r"|grand)\b)"
    rf"|\b\d{{2,3}}(?:\.\d)?k\b{_NOT_MONEY}"
    rf"|\b\d{{2,3}},\d{{3}}(?:,\d{{3}})*\b{_NOT_MONEY}|\b\d,\d{{3}},\d{{3}}\b{_NOT_MONEY}"
    rf"|\b\d+(?:\.\d+)?\s?(?:million|mil|thousand)\b{_NOT_MONEY}"
    r"|\b(?:hundred|[a-z]+ty|[a-z]+teen|one|two|three|four|five|six|seven|eight|nine|ten|half a)"
    r"[\s-]+(?:and[\s-]+[\w-]+[\s-]+)?(?:thousand|million)\b(?:\s+(?:dollars|euros|pounds))"
    rf"|\b(?:half|(?:a )?quarter of) a million\b{_NOT_MONEY}"
    r"|\bhundred[\s-]+(?:(?:and[\s-]+)?\w+[\s-]+){0,2}thousand\b"
    r"|\b(?:low|mid|high|upper)[\s-]+(?:\d{3}s?\b|\w+[\s-]+hundreds\b|(?:six|seven)[\s-]figures?\b)"
    r"|\b(?:asking|listed|priced|sold|valued|appraised|worth|rents?|offers?|price|value|budget"
    r"|payments?"
    r"|mortgage|deposit|fees?|costs?|taxes|dues)\b"
    rf"[^.\n]{{0,25}}?\b(?!(?:19|20)\d\d\b)(?:\d{{3,}}|\d{{1,3}}(?:[.,]\d{{3}})+)\b{_NOT_MONEY}"
    r"|\b\d[\d.,]{2,15}\s?(?:a|per|/)\s*(?:month|mo\b|sq|square f|week|year|night)"
    r"|\b(?!100\b)\d+(?:[.,]\d+)?\s?(?:%|percent\b|per cent\b|basis points\b)"
    rf"|\b(?:{_UNITS}|half an?|a (?:half|third|quarter))"
    rf"(?:[\s-]+(?:and|an?|half|quarter|point|{_UNITS})){{0,4}}"
    r"[\s-]+(?:of a )?(?:percent|per cent|percentage points?|basis points?)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d|thousand|million|hundred|figures|percent|per cent|basis", re.IGNORECASE)


def matches(letter: LetterText) -> Iterator[Match]:
    """Yield the first price or percentage."""
    # Quickly told of most letters: a price has a digit, or one of these words.
    if _NUMBER.search(letter.prose) and (found := _PRICE.search(letter.prose)):
        yield "price", found[0]
