"""The mailbox on disk, and that no letter's text ever becomes a header or markup."""

import errno
import os
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.domain.errors import CallFailed
from services.mailer.transports.bodies import html_of
from services.mailer.transports.headers import Sender, valid_address
from services.mailer.transports.mailbox import Mailbox
from services.mailer.transports.mime import message_of
from services.mailer.transports.sendgrid import mail_send
from services.mailer.transports.transport import Ending
from tests.services.mailer.sample_letters import ENDING, SENDER, SENT_FROM, outgoing, to_client


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there" / "yet"


@pytest.fixture
def mailbox(folder: Path) -> Mailbox:
    return Mailbox(folder, SENT_FROM)


async def test_a_letter_is_one_file_that_a_mail_program_opens(
    mailbox: Mailbox, folder: Path
) -> None:
    sent = outgoing(from_name="Dána Reed", reply_to="dana@harbor.example", subject="Grüße")
    message_id = await mailbox.send(sent)
    [(name, content)] = files(folder).items()
    assert name == f"{sent.id}-1.eml"
    message = read(content)
    assert message["From"] == f"Dána Reed <{SENDER}>"
    assert message["To"] == "Maria Lopez <maria@mail.example>"
    assert message["Reply-To"] == "dana@harbor.example"
    assert message["Subject"] == "Grüße"
    assert message["Message-ID"] == message_id == f"<{sent.id}@realtoros.example>"
    assert message["X-RealtorOS-Email"] == str(sent.id)
    assert message["Date"].datetime.tzinfo
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_what_is_there_was_sent_and_is_left_alone(mailbox: Mailbox, folder: Path) -> None:
    sent = outgoing()
    first = await mailbox.send(sent)
    before = files(folder)
    assert await mailbox.send(sent) == first
    assert files(folder) == before


async def test_two_that_write_at_once_leave_one_whole_file(
    mailbox: Mailbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = outgoing()
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    assert await mailbox.send(sent) == await mailbox.send(sent)
    monkeypatch.undo()
    assert list(files(folder)) == [f"{sent.id}-1.eml"]


@pytest.mark.parametrize("step", ["fsync", "link"])
async def test_a_full_disk_leaves_nothing_and_may_be_tried_again(
    step: str, mailbox: Mailbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/home/maria")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(CallFailed) as refused:
        await mailbox.send(outgoing())
    assert not refused.value.final
    assert refused.value.reason == "the mailbox cannot be written: No space left on device"
    assert files(folder) == {}


async def test_a_folder_that_cannot_be_made_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CallFailed) as refused:
        await Mailbox(tmp_path / "file", SENT_FROM).send(outgoing())
    assert not refused.value.final


@pytest.mark.parametrize("local", ["Jörg", "Jo"])
async def test_on_the_wire_domains_are_punycode_and_local_parts_as_typed(
    folder: Path, local: str
) -> None:
    mailbox = Mailbox(folder, Sender("RealtorOS <noreply@büro.example>"))
    await mailbox.send(outgoing(to_email=f"{local}@Exämple.example", reply_to="dana@büro.example"))
    [content] = files(folder).values()
    lines = content.decode().split("\r\n")
    assert f"To: Maria Lopez <{local}@xn--exmple-cua.example>" in lines
    assert "From: Dana Reed <noreply@xn--bro-hoa.example>" in lines
    assert "Reply-To: dana@xn--bro-hoa.example" in lines


@pytest.mark.parametrize(
    "domain",
    ["a\uff1cb.example", "a\uff0cb.example", "a\u2763.example", "ü" * 250, "\ud800.example"],
)
def test_a_domain_that_cannot_be_written_in_ascii_is_refused(domain: str) -> None:
    assert not valid_address(f"jo@{domain}")


def test_mail_from_has_to_be_an_address() -> None:
    with pytest.raises(ValueError, match="MAIL_FROM"):
        Sender("invalid")


HEADERS = ["From", "To", "Reply-To", "Subject", "Date", "X-RealtorOS-Email", "Message-ID"]
HEADERS += ["List-Unsubscribe", "List-Unsubscribe-Post"]
HEADERS += ["MIME-Version", "Content-Type"]
# Any text at all, and often one that tries to be a header.
PIECES = [
    "\r\n",
    "\n",
    "\r",
    "\u2028",
    "\x85",
    "\x00",
    "\ud800",
    "Bcc: x@y.z",
    "=?utf-8?q?=0ABcc:?=",
]
PIECES += [",", "<x@y.z>", '"', "\\", "(", "Jörg", " ", ";", "a" * 80, "@"]
HOSTILE = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)


@given(
    ending=st.builds(Ending, st.just(ENDING.opt_out_url), HOSTILE, HOSTILE),
    language=HOSTILE,
    from_email=HOSTILE,
    to_name=HOSTILE,
    from_name=HOSTILE,
    subject=HOSTILE,
    body=HOSTILE,
)
def test_no_text_becomes_a_header_or_a_recipient(**texts: Any) -> None:
    sent = to_client(reply_to="dana@harbor.example", **texts)
    content = bytes(message_of(sent, SENT_FROM))
    assert max(map(len, content.split(b"\r\n"))) <= 998
    message = read(content)
    assert list(message.keys()) == HEADERS
    assert message["List-Unsubscribe"] == f"<{ENDING.opt_out_url}>"
    assert [a.addr_spec for a in message["To"].addresses] == ["maria@mail.example"]
    assert [a.addr_spec for a in message["From"].addresses] == [SENDER]
    request = mail_send(sent, SENT_FROM, "opens")
    assert request["personalizations"][0]["to"][0]["email"] == "maria@mail.example"
    assert request["from"]["email"] == SENDER
    names = (request["personalizations"][0]["to"][0]["name"], request["from"]["name"])
    for line in (request["subject"], *names):
        assert line.splitlines() in ([], [line])
        assert "\x00" not in line


@given(body=st.text() | st.text("<>\"&'/:.hrefspt \n"))
def test_no_text_becomes_markup(body: str) -> None:
    inside = html_of(body).partition('max-width: 40em">')[2].partition("</body>")[0]
    inside = inside.replace("<p>", "").replace("</p>", "").replace("<br>", "").replace("</a>", "")
    for quoted in inside.split('<a href="http')[1:]:
        inside = inside.replace(f'<a href="http{quoted.partition(">")[0]}>', "", 1)
    assert not set('<>"') & set(inside)


@given(address=HOSTILE | st.text("ab.@- <>\r\n,"))
def test_a_valid_address_is_one_address(address: str) -> None:
    if valid_address(address):
        assert address.count("@") == 1
        assert not set(' ,;:<>()[]"\\\r\n') & set(address)


def test_absurd_lengths_are_cut_or_refused() -> None:
    request = mail_send(outgoing(subject="s" * 10**6, to_name="n" * 10**6), SENT_FROM, "opens")
    assert len(request["subject"]) == 150
    assert len(request["personalizations"][0]["to"][0]["name"]) == 100
    with pytest.raises(CallFailed, match="too long") as refused:
        mail_send(outgoing(body="b" * 10**6), SENT_FROM, "opens")
    assert refused.value.final


async def test_replies_go_to_the_agent_first_and_to_the_letter_s_own_address(
    mailbox: Mailbox, folder: Path
) -> None:
    letter = outgoing(reply_to="dana@harbor.example")
    await mailbox.send(replace(letter, reply_address="r-aaaa@replies.reed.example"))
    [content] = files(folder).values()
    replies = getaddresses([str(read(content)["Reply-To"])])
    assert [address for _, address in replies] == [
        *("dana@harbor.example", "r-aaaa@replies.reed.example")
    ]
