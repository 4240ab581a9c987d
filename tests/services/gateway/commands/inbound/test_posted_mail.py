"""A mail as SendGrid posts it: only what is signed, within bounds, raw or taken apart."""

import random
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from services.gateway.commands.inbound.mail import READ_BYTES, Unreadable, read_mail
from services.gateway.commands.inbound.posted_mail import raw_mail, read_form
from services.gateway.commands.sendgrid_signature import SIGNATURE, TIMESTAMP, VerificationKey
from services.gateway.errors import InvalidWebhookSignature
from tests.providers.webhook import Webhook

SENDGRID = Webhook()
KEY = VerificationKey(SENDGRID.public_key)
MEBIBYTE = 2**20


def written(text: str = "Call me tomorrow.") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Maria <maria@mail.example>", "dana@reed.example"
    mail["Subject"], mail["In-Reply-To"] = "Re: Hello", "<1@realtoros.example>"
    mail.set_content(text)
    return mail.as_bytes()


async def parts(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    for begin in range(0, len(body), size):
        yield body[begin : begin + size]


@pytest.mark.parametrize("size", [1, 7, 65_536])
async def test_a_raw_mail_is_read_as_it_was_written(size: int) -> None:
    raw = written()
    body, headers = SENDGRID.form(headers=b"X: y", email=raw, envelope=b'{"to":["a@b.example"]}')
    form = await read_form(KEY, _lower(headers), parts(body, size))
    assert raw_mail(form) == raw
    assert form["envelope"] == b'{"to":["a@b.example"]}'


@pytest.mark.parametrize("kind", ["text", "html"])
async def test_what_sendgrid_took_apart_is_a_mail_again(kind: str) -> None:
    headers_of_mail, _, _ = written().partition(b"\n\n")
    text = "Grüße, stop".encode() if kind == "text" else "<p>Grüße, stop</p>".encode()
    body, headers = SENDGRID.form(headers=headers_of_mail, **{kind: text})
    mail = read_mail(raw_mail(await read_form(KEY, _lower(headers), parts(body))))
    assert (mail.sender, mail.subject) == ("maria@mail.example", "Re: Hello")
    assert mail.answers == ("1@realtoros.example",)
    assert mail.text.strip() == "Grüße, stop"


async def test_of_thirty_mebibytes_only_the_beginning_is_kept() -> None:
    attachment = random.Random(3).randbytes(30 * MEBIBYTE)
    body, headers = SENDGRID.form(
        attachment1=attachment, email=written() + attachment, envelope=b"{}"
    )
    form = await read_form(KEY, _lower(headers), parts(body))
    assert set(form) == {"email", "envelope"}
    assert len(form["email"]) == READ_BYTES
    assert read_mail(raw_mail(form)).text.startswith("Call me")


async def test_none_of_a_thousand_forged_posts_is_read() -> None:
    seed = random.Random(18)
    body, headers = SENDGRID.form(email=written())
    strange = Webhook().form(email=written())[1]
    for number in range(1000):
        sent, forged = bytearray(body), _lower(headers)
        if number % 3 == 0:
            sent[seed.randrange(len(sent))] ^= 1 << seed.randrange(8)
        elif number % 3 == 1:
            forged[SIGNATURE.lower()] = seed.choice([strange[SIGNATURE], "", "AA==", "é"])
        else:
            del forged[seed.choice([SIGNATURE, TIMESTAMP]).lower()]
        with pytest.raises(InvalidWebhookSignature):
            await read_form(KEY, forged, parts(bytes(sent)))
    assert await read_form(KEY, _lower(headers), parts(body))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=email"),
        ("multipart/form-data; boundary=x", b"nonsense"),
    ],
)
async def test_what_is_no_form_is_unreadable(content_type: str, body: bytes) -> None:
    _, headers = SENDGRID._signed(body, content_type)
    with pytest.raises(Unreadable):
        await read_form(KEY, _lower(headers), parts(body))


async def test_a_form_without_a_mail_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="email"):
        raw_mail({"envelope": b"{}"})


def _lower(headers: dict[str, str]) -> "Headers":
    return Headers({name.lower(): value for name, value in headers.items()})


class Headers(dict[str, str]):
    """Headers as Litestar gives them: of any case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return super().get(name.lower(), default)
