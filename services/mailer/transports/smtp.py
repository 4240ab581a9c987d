"""The transport to an SMTP server (RFC 5321): a provider's relay, or the office's own."""

import asyncio
import contextlib
import re
import ssl

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.protocol import SMTPProtocol

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown, ProviderAway
from contracts.addresses import wire_address
from services.mailer.transports.headers import Sender
from services.mailer.transports.mime import message_of
from services.mailer.transports.smtp_server import SmtpServer
from services.mailer.transports.transport import OutgoingLetter

_QUIT_SECONDS = 1.0
_START_INPUT = range(354, 355)
_COMPLETED = range(200, 300)
_FAILED = range(400, 600)
_FINAL = 500
# The server closes or wants another login (RFC 5321, RFC 4954): of every letter.
_REFUSALS_OF_ALL = frozenset({421, 454, 530, 534, 535, 538})
_LEADING_DOT = re.compile(rb"(?m)^\.")


class SmtpTransport:
    """Sends each letter over a connection of its own; `timeout` (seconds) limits the whole call."""

    def __init__(
        self, server: SmtpServer, sender: Sender, timeout: float, limit: CallLimit
    ) -> None:
        self._server = server
        self._sender = sender
        self._timeout = timeout
        self._limit = limit
        # Made once: it reads all certificates of the system.
        self._tls = ssl.create_default_context()

    async def send(self, outgoing: OutgoingLetter) -> str | None:
        """Send once; return the Message-ID. Raises CallFailed, OutcomeUnknown.

        Until the final dot leaves, the server has not got the letter; from then on it may have.
        """
        content = bytes(message_of(outgoing, self._sender))
        async with self._limit.call():
            await self._send(outgoing, content)
        return self._sender.message_id(outgoing.id)

    async def _send(self, outgoing: OutgoingLetter, content: bytes) -> None:
        client, dot_left = self._client(), False
        try:
            async with asyncio.timeout(self._timeout):
                await client.connect()
                await self._address(client, outgoing)
                protocol = await _begin_data(client)
                dot_left = True
                protocol.write(_LEADING_DOT.sub(b"..", content) + b".\r\n")
                _require(await protocol.read_response(), _COMPLETED)
        except (SMTPException, OSError, TimeoutError) as error:
            raise _failure(error, dot_left=dot_left) from None
        finally:
            await _end(client)

    async def close(self) -> None:
        """Do nothing: every letter closes its own connection."""

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            # By default the name is looked up, which blocks.
            local_hostname=self._sender.domain,
            timeout=self._timeout,
            use_tls=server.tls,
            tls_context=self._tls,
            # A password never leaves in the clear.
            start_tls=False if server.tls else True if server.user else None,
        )

    async def _address(self, client: SMTP, outgoing: OutgoingLetter) -> None:
        """Name sender and recipient; bounces come back to MAIL_FROM."""
        sender, recipient = self._sender.address, wire_address(outgoing.letter.to_email)
        if sender.isascii() and recipient.isascii():
            await client.mail(sender)
            await client.rcpt(recipient)
            return
        if not client.supports_extension("smtputf8"):
            raise CallFailed("the mail server takes no address that is not ASCII", final=True)
        await client.mail(sender, options=["SMTPUTF8"], encoding="utf-8")
        await client.rcpt(recipient, encoding="utf-8")


async def _begin_data(client: SMTP) -> SMTPProtocol:
    """Let the server ask for the letter; `SMTP.data` would not tell whether it had left."""
    _require(await client.execute_command(b"DATA"), _START_INPUT)
    if client.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    return client.protocol


def _require(answer: SMTPResponse, codes: range) -> None:
    if answer.code not in codes:
        raise SMTPResponseException(answer.code, answer.message)


def _failure(error: Exception, *, dot_left: bool) -> CallFailed | OutcomeUnknown:
    """Return what the error means. The server's own words may quote addresses and stay out."""
    code = error.code if isinstance(error, SMTPResponseException) else None
    if code is not None and code in _FAILED:
        failed = ProviderAway if code in _REFUSALS_OF_ALL else CallFailed
        return failed(f"the mail server answered {code}", final=code >= _FINAL)
    why = type(error).__name__ if code is None else str(code)
    if dot_left:
        return OutcomeUnknown(f"the mail server's answer to the letter was lost ({why})")
    return ProviderAway(f"the mail server did not take the letter ({why})")


async def _end(client: SMTP) -> None:
    """Say goodbye; the outcome is known, so nothing depends on the answer."""
    with contextlib.suppress(SMTPException, OSError, TimeoutError):
        if client.is_connected:
            async with asyncio.timeout(_QUIT_SECONDS):
                await client.quit()
    client.close()
