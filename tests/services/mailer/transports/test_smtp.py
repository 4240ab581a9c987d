"""The SMTP transport against a real server (aiosmtpd): sent, refused, or unknown; at every step."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown, ProviderAway
from services.mailer.transports.headers import Sender
from services.mailer.transports.smtp import SmtpTransport
from services.mailer.transports.smtp_server import SmtpServer
from tests.services.mailer.sample_letters import ENDING, SENDER, SENT_FROM, to_client
from tests.services.mailer.transports.certificates import certified

FOREVER = asyncio.Event
LOGIN = "a%40b:p%3Aw"


class Office:
    """A mail server's behaviour: `answers` by step, or what happens instead of an answer."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.letters: list[Envelope] = []
        self.logins: list[bytes] = []

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options += options
        return await self._answer(server, "mail")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self._answer(server, "rcpt")

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = await self._answer(server, "dot")
        if answer.startswith("250"):
            self.letters.append(envelope)
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == b"p@ss word", handled=False)

    async def _answer(self, server: SMTP, step: str) -> str:
        answer = self.answers.get(step, "250 OK")
        if answer == "drop":
            _hang_up(server)
        if answer == "silence":
            await FOREVER().wait()
        return answer


class Conversation(SMTP):
    """A server that may also end the conversation at the greeting or at DATA."""

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        await self._or_else("ehlo", lambda: super(Conversation, self).smtp_EHLO(hostname))

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        await self._or_else("ehlo", lambda: super(Conversation, self).smtp_HELO(hostname))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        await self._or_else("data", lambda: super(Conversation, self).smtp_DATA(arg))

    async def _or_else(self, step: str, usual: Callable[[], Any]) -> None:
        match answer := self.event_handler.answers.get(step):
            case None:
                await usual()
            case "drop":
                _hang_up(self)
            case "silence":
                await FOREVER().wait()
            case _:
                await self.push(answer)


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@asynccontextmanager
async def served(office: Office, **options: Any) -> AsyncIterator[int]:
    """Run the server; yield its port."""
    loop = asyncio.get_running_loop()
    plain: dict[str, Any] = {"hostname": "localhost", "enable_SMTPUTF8": True}
    server = await loop.create_server(
        lambda: Conversation(office, loop=loop, **plain | options), "127.0.0.1", 0
    )
    yield server.sockets[0].getsockname()[1]
    server.close()


def transport(port: int, sender: Sender = SENT_FROM, timeout: float = 20) -> SmtpTransport:
    return SmtpTransport(
        SmtpServer.parse(f"smtp://127.0.0.1:{port}"), sender, timeout, CallLimit(1, 64)
    )


async def test_a_letter_arrives_whole() -> None:
    office = Office()
    letter = to_client(
        body=f".\n..\nHi María,\n.{'long ' * 400}\n.", subject="Grüße", reply_to="dana@reed.example"
    )
    own = Sender(SENDER, ["reed.example"])
    async with served(office) as port:
        message_id = await transport(port, own).send(letter)
    [envelope] = office.letters
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["maria@mail.example"])
    assert isinstance(envelope.content, bytes)
    message = message_from_bytes(envelope.content, policy=default)
    assert message["Message-ID"] == message_id == f"<{letter.id}@realtoros.example>"
    assert message["Subject"] == "Grüße"
    text = next(message.iter_parts()).get_content()
    assert text.replace("\r\n", "\n").split("\n\n")[0] == letter.letter.body
    assert message["List-Unsubscribe"] == f"<{ENDING.opt_out_url}>"
    assert envelope.content.isascii()


@pytest.mark.parametrize("step", ["ehlo", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(("code", "final"), [(421, False), (451, False), (550, True)])
async def test_a_refusal_is_an_answer_and_the_letter_was_not_taken(
    step: str, code: int, final: bool
) -> None:
    office = Office(**{step: f"{code} <maria@mail.example> is not to my liking"})
    async with served(office) as port:
        with pytest.raises(CallFailed) as refused:
            await transport(port).send(to_client())
    assert refused.value.final == final
    assert refused.value.reason == f"the mail server answered {code}"
    # 421: it closes.
    assert isinstance(refused.value, ProviderAway) == (code == 421)
    assert office.letters == []


@pytest.mark.parametrize("step", ["ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", ["drop", "silence"])
async def test_what_breaks_before_the_letter_leaves_is_tried_again(step: str, fault: str) -> None:
    async with served(Office(**{step: fault})) as port:
        with pytest.raises(CallFailed) as failed:
            await transport(port, timeout=20 if fault == "drop" else 1).send(to_client())
    assert not failed.value.final


@pytest.mark.parametrize("fault", ["drop", "silence", "no answer at all"])
async def test_what_breaks_after_the_final_dot_is_an_unknown_outcome(fault: str) -> None:
    async with served(Office(dot=fault)) as port:
        with pytest.raises(OutcomeUnknown) as unknown:
            await transport(port, timeout=1 if fault == "silence" else 20).send(to_client())
    assert "maria" not in unknown.value.reason


async def test_a_server_that_is_busy_or_away_is_asked_again_later() -> None:
    async def busy(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 too many connections\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(busy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for _ in ("busy", "away"):
        with pytest.raises(CallFailed) as failed:
            await transport(port).send(to_client())
        assert not failed.value.final
        server.close()
        await server.wait_closed()


async def test_an_address_that_is_not_ascii_needs_a_server_that_takes_it() -> None:
    office = Office()
    async with served(office) as port:
        await transport(port).send(to_client(to_email="jörg@mail.example"))
    assert office.letters[0].rcpt_tos == ["jörg@mail.example"]
    async with served(office, enable_SMTPUTF8=False) as port:
        with pytest.raises(CallFailed, match="not ASCII") as failed:
            await transport(port).send(to_client(to_email="jörg@mail.example"))
    assert failed.value.final


async def test_the_password_is_sent_over_tls_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    office = Office()
    login: dict[str, Any] = {"authenticator": office.authenticate, "auth_required": True}
    async with served(office, tls_context=context, **login) as port:
        for password, expected in (("p%40ss%20word", None), ("wrong", CallFailed)):
            server = SmtpServer.parse(f"smtp://dana:{password}@127.0.0.1:{port}")
            sending = SmtpTransport(server, SENT_FROM, 20, CallLimit(1, 64)).send(to_client())
            if expected is None:
                assert await sending
                continue
            with pytest.raises(expected, match="535"):
                await sending
    assert set(office.logins) == {b"p@ss word", b"wrong"}
    assert len(office.letters) == 1
    async with served(office, auth_require_tls=False, **login) as port:
        server = SmtpServer.parse(f"smtp://dana:secret@127.0.0.1:{port}")
        with pytest.raises(CallFailed):
            await SmtpTransport(server, SENT_FROM, 20, CallLimit(1, 64)).send(to_client())
    assert b"secret" not in office.logins


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://relay.example", SmtpServer("relay.example", 587, False, None, None)),
        ("smtps://relay.example/", SmtpServer("relay.example", 465, True, None, None)),
        (f"smtp://{LOGIN}@[::1]:25", SmtpServer("::1", 25, False, "a@b", "p:w")),
    ],
)
def test_a_url_names_a_server(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize(
    "url",
    [
        *("relay.example:25", "http://relay.example", "smtp://", "smtp://relay.example:99999"),
        *("smtp://relay.example/inbox", "smtp://relay.example?tls=no", "smtp://user@relay.example"),
    ],
)
def test_a_wrong_url_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL") as wrong:
        SmtpServer.parse(url)
    assert "relay" not in str(wrong.value)
