"""Whether what somebody has written asks for no more emails. Pure.

Alone, one word is enough ("stop"); within other words it takes a whole demand ("stop emailing me"),
since "can you stop by tomorrow" is none. Case and accents do not count.
"""
# ruff: noqa: RUF001 -- letters of other scripts

import re
import unicodedata
from typing import Final

_LONGEST: Final = 2_000
# So many words, politeness included, are one alone.
_MOST_ALONE: Final = 8
_ALONE: Final = """
stop, stopp, stop all, unsubscribe, unsubscribed, unsub, opt out, optout, remove, cancel, no more,
abmelden, abbestellen, austragen, stoppen, baja, dar baja, darme baja, desuscribir, no más, alto,
cancelar suscripción, désabonner, désinscrire, désinscription, désabonnement, arrêt, arrêtez,
cancellami, disiscrivimi, cancella, cancellare, descadastrar, cancelar, parar, pare, afmelden,
uitschrijven, avregistrera, avsluta, avmeld, afmeld, peruuta, отписаться, отписка, стоп, wypisz,
rezygnuję, hủy đăng ký, ngừng, 退订, 取消订阅, 停止, 配信停止, 수신거부
"""
# What may stand around such a word.
_POLITE: Final = """
please pls plz thanks thank you thx kindly now ok okay hi hello dear sir madam regards best bitte
danke hallo mfg gruß grüße mich alle por favor gracias hola saludos de la merci s'il vous plaît svp
bonjour cordialement per favore grazie ciao obrigado obrigada olá alsjeblieft bedankt пожалуйста
спасибо здравствуйте proszę dziękuję 请 谢谢 me us this these all it list emails email mail mails e
from to the your my and
"""
# Not "before Friday".
_FOR_GOOD: Final = r"(?! (?:before|until|till|after|on|at|by)\b)"
_MAILS: Final = r"(?:e-?mails?|mails?|messages?|letters?)"
_DEMANDS: Final = (
    # English
    r"\b(?:stop|quit|cease) (?:all )?(?:e-?mailing|mailing|sending|writing|contacting)\b",
    r"\b(?:stop|quit|cease) (?:messaging|spamming|bothering)\b",
    rf"\b(?:stop|cease) (?:all |these |those |the |your |with )+(?:\w+ )?{_MAILS}\b",
    r"\b(?:unsubscribe|remove|delete) (?:me|us|my (?:e-?mail|address|name))\b",
    r"\btake (?:me|us|my (?:e-?mail|address|name)) off\b",
    r"\bopt (?:me |us )?out\b",
    r"\b(?:would like|want|wish) to (?:unsubscribe|be (?:removed|unsubscribed|taken off))",
    rf"\b(?:do not|don't|never) (?:e-?mail|write|contact|message)(?: to)? (?:me|us)\b{_FOR_GOOD}",
    rf"\b(?:no more|no further|do not want (?:any )?more|don't want (?:any )?more) {_MAILS}\b",
    r"\bleave (?:me|us) alone\b",
    # German
    r"\bkeine (?:weiteren |mehr )?(?:e-?mails?|mails?|nachrichten)\b",
    r"\b(?:tragen|melden|nehmen) sie mich (?:\w+ ){0,4}?(?:ab|aus|heraus|raus)\b",
    r"\bnicht (?:mehr|weiter) (?:anschreiben|schreiben|kontaktieren|mailen|anmailen)\b",
    r"\b(?:schreiben|kontaktieren|mailen) sie (?:mir|mich|uns) (?:bitte )?nicht mehr\b",
    # Spanish
    r"\bno (?:me|nos) (?:env|escrib|contact|mand)\w+ (?:\w+ ){0,2}?mas\b",
    r"\b(?:deje|dejen|paren?) de (?:enviar|escribir|contactar|mandar)\w*",
    r"\b(?:dar(?:me|nos)|denme|deme) de baja\b",
    r"\bno (?:quiero|deseo|queremos) (?:recibir )?mas (?:correos|e-?mails|mensajes)\b",
    # French
    r"\bne (?:me|nous|plus me|plus nous) (?:contact|ecri|envo)\w+(?: plus)?\b",
    r"\barretez de (?:m'|me |nous )",
    r"\b(?:desabonnez|desinscrivez|retirez|supprimez)[- ](?:moi|nous)\b",
    r"\bplus (?:d'e-?mails?|de (?:mails?|messages?|courriels?))\b",
    # Italian
    r"\bnon (?:scriv|contatt|invia|manda)\w+ piu\b",
    r"\b(?:cancella|disiscrive|toglie|rimuove)te(?:mi|ci)\b",
    r"\bnon (?:voglio|desidero) piu (?:ricevere)?\b",
    r"\bbasta (?:e-?mail|mail|messaggi)\b",
    # Portuguese
    r"\bnao (?:me |nos )?(?:envie|mande|escreva|contacte|contate)m?(?: \w+){0,2} mais\b",
    r"\bnao (?:quero|desejo) (?:mais )?receber\b",
    r"\bparem? de (?:me |nos )?(?:enviar|mandar|escrever)\b",
    r"\b(?:me (?:remova|retire|descadastre)|(?:remova|retire|descadastre)-me)m?\b",
    # Dutch
    r"\bgeen (?:e-?)?mails? meer\b",
    r"\b(?:schrijf|meld) (?:mij|me|ons) (?:uit|af)\b",
    r"\bstop met (?:mailen|het sturen|sturen)\b",
    # Polish, Russian, Ukrainian
    r"\bnie (?:pisz|wysylaj|przysylaj)\w* (?:\w+ ){0,3}?wiecej\b",
    r"\b(?:prosze (?:mnie )?wypisac|nie zycze sobie)\b",
    r"\bбольше не (?:пиш|присыла|отправля|звон)\w+",
    r"\bне (?:пишите|присылайте|отправляйте|надсилайте|пишіть) (?:\w+ ){0,3}?(?:больше|більше)\b",
    r"\b(?:отпишите|удалите) (?:меня|нас)\b",
    r"\bпрекратите (?:\w+ ){0,2}?(?:писать|присылать|рассылку)\b",
    # Chinese, Japanese, Korean, Vietnamese
    r"(?:不要|别)再?(?:给我|向我)?(?:发|寄|联系)",
    r"(?:取消|退出)(?:订阅|邮件)|(?:把我|将我).{0,6}(?:删除|移除)",
    r"(?:メール|配信).{0,6}(?:停止|止めて|解除|不要)|もう.{0,8}(?:送ら|連絡し)ないで",
    r"(?:그만|더 ?이상).{0,10}(?:보내|연락)|보내지 ?마|수신 ?거부",
    r"\bdung (?:gui|lien lac|viet)\b|\bhuy dang ky\b|\bngung gui\b",
)
# Before a demand, these turn it round; who says the others wants the emails.
_TURNED: Final = r"(?<!don't )(?<!do not )(?<!never )(?<!not to )(?<!want to )(?<!nicht )"
_WANTED: Final = (
    r"\b(?:do not|don't) (?:want|wish|need|mean) to (?:stop|unsubscribe|opt|be removed)",
    r"\b(?:do not|don't|never) (?:stop|unsubscribe|remove|delete)\b",
    r"\bkeep (?:them|it|the e-?mails|these) coming\b",
)


def _fold(text: str) -> str:
    """Return the text without case and accents, blanks and apostrophes of one kind."""
    plain = unicodedata.normalize("NFD", text.replace("\u2019", "'").casefold())
    # Marks of Latin letters and their kin; those of other scripts are parts of theirs.
    bare = "".join(c for c in plain if not "\u0300" <= c <= "\u036f").replace("đ", "d")
    return " ".join(unicodedata.normalize("NFC", bare).replace("ł", "l").split())


_ALONES: Final = frozenset(_fold(word) for word in _ALONE.split(","))
_AROUND: Final = frozenset(_fold(_POLITE).split())
_DEMAND: Final = re.compile(f"{_TURNED}(?:{_fold('|'.join(_DEMANDS))})")
_WANTS: Final = re.compile("|".join(_WANTED))
_WORD: Final = re.compile(r"[\w']+")


def is_stop(words: str) -> bool:
    """Return whether somebody's own words, or a subject, ask for no more emails."""
    text = _fold(words[:_LONGEST])
    if _WANTS.search(text):
        return False
    first_line = words.strip().split("\n", 1)[0]
    first_sentence = re.split(r"[.!?;。！？]", text, maxsplit=1)[0]
    alone = any(map(_is_alone, (text, _fold(first_line[:_LONGEST]), first_sentence)))
    return alone or bool(_DEMAND.search(text))


def _is_alone(text: str) -> bool:
    said = [word.strip("'") for word in _WORD.findall(text)]
    core = [word for word in said if word not in _AROUND]
    return len(said) <= _MOST_ALONE and bool({" ".join(said), " ".join(core)} & _ALONES)
