"""What a client's mail program gets: both parts, the way out, the thread, and who it is from."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest

from services.mailer.transports.headers import Sender
from services.mailer.transports.languages import html_attributes
from services.mailer.transports.mime import message_of
from services.mailer.transports.transport import Ending, OutgoingLetter
from tests.services.mailer.sample_letters import ENDING, SENT_FROM, outgoing, to_client


class Words(HTMLParser):
    """The words that a page shows, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._text = ""
        self.links: list[str | None] = []
        self.feed(page)
        self.close()

    def handle_data(self, data: str) -> None:
        self._text += data

    @property
    def words(self) -> list[str]:
        return self._text.split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("p", "br"):
            self._text += "\n"
        self.links += [value for name, value in attrs if name == "href"]


def sent(letter: OutgoingLetter, sender: Sender = SENT_FROM) -> EmailMessage:
    message = message_from_bytes(bytes(message_of(letter, sender)), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def parts(message: EmailMessage) -> tuple[str, str]:
    """Return text and HTML."""
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    return text, html


def words_of(text: str) -> list[str]:
    """Return the words of a text; the page has the link to opt out behind its name."""
    return text.rstrip().removesuffix(f": {ENDING.opt_out_url}").split()


@pytest.mark.parametrize(
    "body",
    [
        "Hi María,\n\nhow are you?\n\nWarmly,\nDana",
        'a <b> & "c"\n\nhttps://reed.example.com/?a=1&b=2.',
        "مرحبا محمد",
        f"one {'long ' * 400}line",
        "x" * 5_000,
        ".\n.\nFrom here on",
    ],
)
def test_both_parts_say_the_same_and_end_with_the_way_out(body: str) -> None:
    text, html = parts(sent(to_client(body=body)))
    page = Words(html)
    assert page.words == words_of(text)
    assert text.startswith(body[:3])
    assert text.rstrip().split("\n\n")[-3:] == [
        ENDING.disclosure,
        ENDING.postal_address,
        f"Unsubscribe: {ENDING.opt_out_url}",
    ]
    assert page.links[-1] == ENDING.opt_out_url


def test_the_headers_to_opt_out_stand_on_one_line_each() -> None:
    lines = bytes(message_of(to_client(), SENT_FROM)).split(b"\r\n")
    assert f"List-Unsubscribe: <{ENDING.opt_out_url}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_what_is_no_letter_to_a_client_has_no_way_out() -> None:
    message = sent(outgoing())
    assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None
    assert parts(message)[0].strip() == "Hi Maria,\n\nhow are you?"


def test_every_attempt_is_the_same_message_in_the_same_thread() -> None:
    followed = [uuid4() for _ in range(3)]
    letter = to_client(*followed)
    message = sent(letter)
    ids = [f"<{id_}@realtoros.example>" for id_ in followed]
    assert message["Message-ID"] == f"<{letter.id}@realtoros.example>"
    assert message["In-Reply-To"] == ids[-1]
    assert message["References"].split() == ids
    assert sent(to_client())["References"] is None


def test_a_long_thread_fits_into_a_line() -> None:
    far = Sender(f"a@{'.'.join(['x' * 60] * 4)}.example")
    lines = bytes(message_of(to_client(*(uuid4() for _ in range(10))), far)).split(b"\r\n")
    [references] = [line for line in lines if line.startswith(b"References:")]
    assert len(references) <= 998
    assert references.count(b"<") == 3


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Re: your search", "your search"),
        ("RE:Fwd: AW: your search", "your search"),
        ("  re : your search", "your search"),
        ("Ready: your search", "Ready: your search"),
        ("Your search, re: Elm Street", "Your search, re: Elm Street"),
    ],
)
def test_a_letter_never_claims_to_be_an_answer(written: str, shown: str) -> None:
    assert sent(to_client(uuid4(), subject=written))["Subject"] == shown


@pytest.mark.parametrize(
    ("address", "from_"),
    [
        ("dana@reed.example", "dana@reed.example"),
        ("dana@REED.example", "dana@REED.example"),
        ("dana@bücher.example", "dana@xn--bcher-kva.example"),
        ("dana@sub.reed.example", "noreply@realtoros.example"),
        ("dana@elsewhere.example", "noreply@realtoros.example"),
        ("dána@reed.example", "noreply@realtoros.example"),
        ("dana@reed.example\r\nBcc: x@reed.example", "noreply@realtoros.example"),
        ("x@y.z, dana@reed.example", "noreply@realtoros.example"),
        (None, "noreply@realtoros.example"),
    ],
)
def test_a_letter_is_from_the_agent_where_the_domain_is_ours(
    address: str | None, from_: str
) -> None:
    sender = Sender("RealtorOS <noreply@realtoros.example>", ["reed.example", "Bücher.example"])
    message = sent(to_client(from_email=address, reply_to="dana@reed.example"), sender)
    assert [one.addr_spec for one in message["From"].addresses] == [from_]
    assert message["Reply-To"] == "dana@reed.example"


def test_what_nobody_has_written_asks_for_no_automatic_answer() -> None:
    automatic = OutgoingLetter(uuid4(), 1, outgoing().letter, {}, automatic=True)
    assert sent(automatic)["Auto-Submitted"] == "auto-generated"
    assert sent(to_client())["Auto-Submitted"] is None


@pytest.mark.parametrize(
    ("language", "attributes"),
    [
        ("es-US", 'lang="es-US" dir="ltr"'),
        ("ar", 'lang="ar" dir="rtl"'),
        ("HE-il", 'lang="HE-il" dir="rtl"'),
        ("az-Arab", 'lang="az-Arab" dir="rtl"'),
        ("ur-Latn", 'lang="ur-Latn" dir="ltr"'),
        (None, 'lang="en" dir="auto"'),
        ('"><script>', 'lang="en" dir="auto"'),
    ],
)
def test_a_page_says_its_language_and_direction(language: str | None, attributes: str) -> None:
    assert html_attributes(language) == attributes
    assert f"<html {attributes}>" in parts(sent(to_client(language=language)))[1]


@pytest.mark.parametrize(
    ("language", "word"), [("fr-CA", "Se désabonner"), ("vi", "Unsubscribe"), ("", "Unsubscribe")]
)
def test_the_way_out_is_named_in_the_language_of_the_letter(language: str, word: str) -> None:
    text, _ = parts(sent(to_client(language=language)))
    assert text.rstrip().endswith(f"{word}: {ENDING.opt_out_url}")


@pytest.mark.parametrize("field", ["disclosure", "postal_address"])
def test_an_ending_is_plain_text(field: str) -> None:
    evil = "Reed\r\nBcc: x@y.z\r\n\r\n<script>\u202e"
    fields: dict[str, Any] = {"opt_out_url": ENDING.opt_out_url, field: evil}
    message = sent(to_client(ending=Ending(**fields)))
    text, html = parts(message)
    assert message["Bcc"] is None
    assert "\u202e" not in text + html
    assert "<script>" not in html
    assert Words(html).words == words_of(text)
