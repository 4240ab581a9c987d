"""The messages of mailer about notices: emails of RealtorOS itself to who has an account.

They hold links that let their reader confirm an address or set a password. Such a link is good for
a short time and once; what stays in the topic opens nothing any more (ADR 16).
"""

from typing import Literal
from uuid import UUID

from contracts.composer import Letter
from contracts.message import Command, Event, Message, Time, added


def own_letter(to_email: str, subject: str, body: str) -> Letter:
    """Return a letter that RealtorOS itself writes; the subject says so, too."""
    return Letter(
        to_name="",
        to_email=to_email,
        from_name="RealtorOS",
        subject=f"RealtorOS: {subject}",
        body=body,
    )


class NoticeStream(Message):
    """Messages about the stream `notice-<notice_id>`: one per notice."""

    notice_id: UUID

    @property
    def stream(self) -> str:
        return f"notice-{self.notice_id}"

    @property
    def key(self) -> UUID:
        return self.notice_id


class NoticeQueued(NoticeStream, Event, name="realtoros.NoticeQueued.v1"):
    """The notice waits to be sent; after `expires_at` it is of no use and not sent any more.

    Of a `confidential` one, recipient and subject are told, and nothing else.
    """

    queued_at: Time
    expires_at: Time
    personal: Letter
    confidential: Literal[True] | None = added()


class NoticeStarted(NoticeStream, Event, name="realtoros.NoticeStarted.v1"):
    """The notice is about to be sent, once: without an answer it is not sent again."""

    attempt: int
    started_at: Time


class NoticeSent(NoticeStream, Event, name="realtoros.NoticeSent.v1"):
    """The provider accepted the notice."""

    sent_at: Time


class NoticeFailed(NoticeStream, Event, name="realtoros.NoticeFailed.v1"):
    """The notice was refused, or is too late; another attempt at `retry_at`, if there is one."""

    error: str
    failed_at: Time
    retry_at: Time | None = None


NoticeEvent = NoticeQueued | NoticeStarted | NoticeSent | NoticeFailed


class SendNotice(NoticeStream, Command, name="realtoros.SendNotice.v1"):
    """Send the letter once, until `expires_at`. One that is `confidential` is not kept."""

    expires_at: Time
    personal: Letter
    confidential: Literal[True] | None = added()
