"""What came in is told apart: by a corpus of mails as programs and people write them."""
# ruff: noqa: RUF001 -- letters and apostrophes as people write them

import contextlib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.commands.inbound.classification import Kind, classify
from services.gateway.commands.inbound.mail import Unreadable, read_mail
from services.gateway.commands.inbound.own_words import own_words
from services.gateway.commands.inbound.stop_words import is_stop

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.eml"))
AGENT = ("dana@reed.example",)


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_a_mail_of_the_corpus_is_told(file: Path) -> None:
    [kind] = [kind for kind in get_args(Kind) if file.stem[2:].startswith(f"_{kind}_")]
    assert classify(read_mail(file.read_bytes()), AGENT) == kind


@pytest.mark.parametrize(
    "words",
    [
        *("stop", "STOP!!!", "Stop.", "please stop", "unsubscribe", "Unsubscribe me please"),
        *("stop sending emails", "Stop. We already bought.", "REMOVE", "Kindly opt me out"),
        *("I want to unsubscribe", "take me off your list", "Don’t email me anymore"),
        *("please don't contact me again", "I don't want any more emails", "leave me alone"),
        *("Bitte keine E-Mails mehr", "Schreiben Sie mir nicht mehr", "abmelden bitte"),
        *("BAJA", "No me escriban más por favor", "dejen de enviarme correos"),
        *("Désinscription svp", "Ne m'envoyez plus de mails", "arrêtez de m'écrire"),
        *("non scrivetemi più", "basta email", "Não me envie mais e-mails", "stop met mailen"),
        *("отписаться", "Удалите меня из рассылки", "proszę mnie wypisać", "退订", "配信停止"),
        *("メールを停止してください", "수신거부", "hủy đăng ký", "不要再给我发邮件"),
    ],
)
def test_a_demand_to_stop_is_one(words: str) -> None:
    assert is_stop(words)


@pytest.mark.parametrize(
    "words",
    [
        *("", "ok", "Thanks!", "Can you stop by tomorrow?", "We stopped looking"),
        *("I have to cancel Thursday, can we do Friday?", "please don't stop writing to me"),
        *("Do not email me before Friday, I am travelling", "Is the bus stop near?"),
        *("no more than 400k", "The old owner may remove the shed", "non-stop flights to Denver?"),
        *("I don't want to unsubscribe, the link just opened", "Remove the condo from the list"),
        *("Nicht schlecht! Keine Fragen.", "No me parece caro", "ne vous inquiétez pas"),
    ],
)
def test_other_words_are_none(words: str) -> None:
    assert not is_stop(words)


def test_between_what_is_quoted_everything_is_read() -> None:
    text = "> Thursday?\n\nYes.\n\n> At three?\n\nAt four.\n"
    assert own_words(text) == "Yes.\n\n\nAt four."


def test_a_mail_of_thirty_mebibytes_costs_no_more_than_one() -> None:
    head = b"From: maria@mail.example\nSubject: photos\n\nHere they are.\n"
    assert read_mail(head + b"x" * (30 << 20)).text.startswith("Here they are.")


def nested(depth: int) -> bytes:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number)
        for number in range(depth)
    )
    return b"From: maria@mail.example\n" + parts + b"Content-Type: text/plain\n\nhello\n"


def test_parts_may_be_nested_but_not_without_end() -> None:
    assert read_mail(nested(20)).text.strip() == "hello"
    with pytest.raises(Unreadable, match="too many parts"):
        read_mail(nested(5_000))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\nno headers at all",
        b"From: =?utf-8?B?////?= <maria@mail.example>\nSubject: =?x?Q?=FF?=\n\nstop",
        b"From: <<>>, @, maria@\nTo: " + b"a," * 10_000 + b"\n\nhello",
        b"From: a@b.c\nContent-Type: text/plain; charset=none-such\n\nst\xffop",
        b"From: a@b.c\nContent-Type: multipart/mixed\n\nno boundary",
        b"From: a@b.c\nContent-Transfer-Encoding: base64\n\n!!!!",
        b"From: a@b.c\nContent-Type: ;;;=\nMessage-ID: <<<\nReferences: " + b"<" * 9_999 + b"\n\nx",
        b"From: a@b.c\nContent-Type: text/html\n\n" + b"<div>" * 50_000,
        b"\x00\xff" * 1_000,
    ],
)
def test_what_is_broken_is_told_or_refused_but_never_an_error(raw: bytes) -> None:
    try:
        mail = read_mail(raw)
    except Unreadable:
        return
    assert classify(mail, AGENT) in get_args(Kind)
    assert isinstance(mail.answers, tuple)


@given(st.binary(max_size=2_000), st.sampled_from([b"", b"From: a@b.c\n", b"Content-Type: "]))
def test_any_bytes_are_told_or_refused(raw: bytes, before: bytes) -> None:
    with contextlib.suppress(Unreadable):
        classify(read_mail(before + raw), AGENT)
