"""The transport to SendGrid's Mail Send API v3, or a server that speaks it."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from http import HTTPStatus

# The sendgrid package carries no types.
# mypy: disable-error-code="no-untyped-call,attr-defined"
from typing import Any

import aiohttp
from sendgrid.helpers.mail import (
    ClickTracking,
    CustomArg,
    From,
    Header,
    Mail,
    OpenTracking,
    ReplyTo,
    SubscriptionTracking,
    To,
    TrackingSettings,
)
from sendgrid.helpers.mail.exceptions import ApiKeyIncludedException

from chassis.calls.announcements import by_sendgrid
from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown, ProviderAway
from chassis.domain.retry import refusal
from chassis.observability.causes import cause_of
from contracts.addresses import wire_address
from services.mailer.transports.bodies import html_of, text_of
from services.mailer.transports.envelope import fields_of
from services.mailer.transports.headers import (
    MAX_NAME,
    Sender,
    check_addresses,
    header_text,
    subject_of,
)
from services.mailer.transports.http_session import HttpSession
from services.mailer.transports.transport import OutgoingLetter, Tracking


def mail_send(outgoing: OutgoingLetter, sender: Sender, tracking: Tracking) -> dict[str, Any]:
    """Return the request's JSON. Raises a final CallFailed for a letter that cannot be sent."""
    letter = outgoing.letter
    check_addresses(letter)
    text = text_of(outgoing)
    from_, to = sender.of(letter), wire_address(letter.to_email)
    try:
        # The SDK parses an address without a name for one, so names are never empty here.
        mail = Mail(
            from_email=From(from_, header_text(letter.from_name, MAX_NAME) or from_),
            to_emails=To(to, header_text(letter.to_name, MAX_NAME) or to),
            subject=subject_of(letter),
            plain_text_content=text,
            html_content=html_of(text, letter.language, outgoing.ending),
        )
    except ApiKeyIncludedException:
        raise CallFailed("the letter begins with a SendGrid API key", final=True) from None
    if len(outgoing.reply_to) == 1:
        mail.reply_to = ReplyTo(outgoing.reply_to[0])
    elif outgoing.reply_to:
        mail.reply_to_list = [ReplyTo(address) for address in outgoing.reply_to]
    for name, value in outgoing.custom_args.items():
        mail.add_custom_arg(CustomArg(name, value))
    for name, value in fields_of(outgoing, sender).items():
        mail.add_header(Header(name, value))
    mail.tracking_settings = _tracking(tracking if outgoing.tracked else "none")
    body: dict[str, Any] = mail.get()
    return body


def _tracking(what: Tracking) -> TrackingSettings:
    """Return the settings, which stand in each request: the account's own may be others."""
    clicks, opens = what == "all", what in ("opens", "all")
    return TrackingSettings(
        ClickTracking(enable=clicks, enable_text=clicks),
        OpenTracking(enable=opens),
        # A letter has its own way out; SendGrid's would be a second one that we do not know of.
        SubscriptionTracking(enable=False),
    )


# aiohttp raises these before the first byte of the request leaves.
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)


class SendGridTransport:
    """Sends by SendGrid; `timeout` (seconds) limits the whole call.

    One per process, since it holds the pool of connections.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        sender: Sender,
        timeout: float,
        limit: CallLimit,
        tracking: Tracking = "opens",
    ) -> None:
        if not api_key.isascii() or not api_key.isprintable():
            raise ValueError("SENDGRID_API_KEY has characters that no key has")
        self._sender = sender
        self._tracking = tracking
        self._timeout = timeout
        self._limit = limit
        try:
            self._http = HttpSession(
                f"{base_url.rstrip('/')}/v3/mail/send",
                {"Authorization": f"Bearer {api_key}"},
                # Connecting has less time than the whole call, so only when the whole call times
                # out may the request have left.
                connect_seconds=timeout / 2,
            )
        except ValueError as error:
            raise ValueError(f"SENDGRID_BASE_URL: {error}") from None

    async def send(self, outgoing: OutgoingLetter) -> str | None:
        """Post the letter once; return the `X-Message-Id`. Raises CallFailed, OutcomeUnknown."""
        body = mail_send(outgoing, self._sender, self._tracking)
        async with self._limit.call():
            return await self._post(body)

    async def _post(self, body: dict[str, Any]) -> str | None:
        response: aiohttp.ClientResponse | None = None
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.post(body)
                # The status is the answer; the body is read so that the connection can be reused.
                with contextlib.suppress(aiohttp.ClientError):
                    await response.read()
        except _NOT_SENT as error:
            raise ProviderAway(f"no connection to the mail provider ({cause_of(error)})") from None
        except aiohttp.ClientError as error:
            raise OutcomeUnknown(f"the mail provider's answer was lost ({_kind(error)})") from None
        except TimeoutError:
            if response is None:
                raise OutcomeUnknown("the mail provider did not answer in time") from None
        finally:
            if response is not None:
                response.close()
        self._limit.announced(by_sendgrid(response.headers, time.time()))
        return _message_id(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _kind(error: Exception) -> str:
    return type(error).__name__


def _message_id(response: aiohttp.ClientResponse) -> str | None:
    status = response.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return response.headers.get("X-Message-Id")
    # RFC 9110: the gateway got no answer, so the provider may have accepted the letter.
    if status == HTTPStatus.GATEWAY_TIMEOUT:
        raise OutcomeUnknown("a gateway before the mail provider gave up waiting (504)")
    wait = response.headers.get("Retry-After")
    raise refusal("the mail provider", status, wait, datetime.now(UTC))
