"""What somebody has written in a reply, without the letter it quotes and the signature. Pure.

Line by line, so that a hostile text costs no more than any other. What mail programs put above a
quoted letter is known in a dozen languages.
"""
# ruff: noqa: RUF001 -- letters of other scripts

import re
from typing import Final

# "On Monday Dana wrote:", which may be wrapped.
_WROTE: Final = re.compile(
    r"(?:wrote|writes|schrieb(?: \S+){0,6}|a écrit|escribió|ha scritto|scrisse|escreveu|schreef"
    r"(?: \S+){0,6}|skrev(?: \S+){0,6}|napisał(?:a|\(a\))?|написал(?:а|\(а\))?|пише|пишет|написав"
    r"|kirjoitti|yazdı|viết|đã viết|写道|寫道|のメール|さんは書きました|작성|كتب|כתב)"
    r"\s*(?:[:：]|$)",
    re.IGNORECASE,
)
_WROTE_BEGIN: Final = re.compile(
    r"(?:>|(?:on|am|le|el|il|em|op|den|dnia|w dniu|vào|в|от|בתאריך|في)\b|\d{1,4}[-/.年])",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(
    r"\s*(?:-{2,}|_{5,}|={5,})?\s*(?:(?:original|forwarded) (?:message|appointment)|ursprüngliche"
    r" nachricht|weitergeleitete nachricht|message d'origine|message transféré|mensaje original"
    r"|mensaje reenviado|messaggio originale|messaggio inoltrato|mensagem original|oorspronkelijk"
    r" bericht|ursprungligt meddelande|oprindelig meddelelse|wiadomość oryginalna|исходное"
    r" сообщение|пересланное сообщение|thư gốc|原始邮件|原始郵件|元のメッセージ|원본 메시지)"
    r"\s*-*\s*",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"\s*_{10,}\s*")
# The headers of a quoted letter.
_FROM: Final = re.compile(
    r"\s*\*?(?:from|von|de|da|van|från|fra|od|от|від|từ|发件人|寄件者|差出人|보낸 사람|من)"
    r"\s?\*?\s?[:：]\s*\*?\s*\S",
    re.IGNORECASE,
)
_BELOW_FROM: Final = re.compile(
    r"\s*\*?(?:sent|date|to|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado(?: el)?|fecha"
    r"|para|asunto|inviato|data|a|oggetto|assunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt"
    r"|til|emne|wysłano|do|temat|отправлено|кому|тема|дата|đã gửi|发送时间|收件人|主题|送信日時"
    r"|宛先|件名|보낸 날짜|받는 사람|제목)\s?\*?\s?[:：]",
    re.IGNORECASE,
)
_SENT_FROM: Final = re.compile(
    r"\s*(?:sent from|sent with|sent via|get outlook for|von meinem .{1,30} gesendet"
    r"|gesendet (?:von|mit)|envoyé (?:de|depuis)|enviado (?:desde|do|a partir)"
    r"|inviato da|verzonden (?:vanaf|met)"
    r"|skickat från|wysłane z|отправлено (?:с|из)|được gửi từ|发自我的|從我的|iphoneから送信"
    r"|나의 \S+에서)",
    re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(r"\s*(?:--|—|–)\s*$")
_MOST_LINES: Final = 400
_LONGEST_ATTRIBUTION: Final = 300


def own_words(text: str) -> str:
    """Return what was written above, or between, what is quoted; without the signature."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_MOST_LINES]
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _is_end(lines, number):
            break
        if not line.lstrip().startswith((">", "|>")):
            kept.append(line.strip())
    return "\n".join(kept).strip()


def _is_end(lines: list[str], number: int) -> bool:
    """Return whether a quoted letter, or the signature, begins here."""
    line = lines[number]
    following = [each for each in lines[number + 1 : number + 6] if each.strip()]
    if _SIGNATURE.fullmatch(line) or _RULE.fullmatch(line) or _SENT_FROM.match(line):
        return True
    if (found := _SEPARATOR.fullmatch(line)) and found.group().strip():
        return True
    if _FROM.match(line) and any(_BELOW_FROM.match(each) for each in following[:4]):
        return True
    if not _WROTE_BEGIN.match(line.strip()):
        return False
    # It is wrapped at times.
    wrapped = [line, *following[:2]]
    is_short = sum(map(len, wrapped)) < _LONGEST_ATTRIBUTION
    return any(map(_ends_attribution, wrapped if is_short else wrapped[:1]))


def _ends_attribution(line: str) -> bool:
    return line.rstrip().endswith((":", "：")) and bool(_WROTE.search(line))
