"""The body of SendGrid's `POST /v3/mail/send`."""
# The sendgrid package carries no types.
# mypy: disable-error-code="no-untyped-call,attr-defined"

from typing import Any

from sendgrid.helpers.mail import CustomArg, From, Mail, ReplyTo, To
from sendgrid.helpers.mail.exceptions import ApiKeyIncludedException

from chassis.errors import CallFailed
from services.mailer.bodies import html_of, text_of
from services.mailer.headers import MAX_NAME, MAX_SUBJECT, check_addresses, single_line
from services.mailer.transport import Parcel


def mail_send(parcel: Parcel, sender: str) -> dict[str, Any]:
    """Give the request's JSON. Raises a final CallFailed for a letter that cannot be sent."""
    letter = parcel.letter
    check_addresses(letter)
    text = text_of(letter.body)
    try:
        # An address without a name would be parsed for one: names are never empty here.
        mail = Mail(
            from_email=From(sender, single_line(letter.from_name, MAX_NAME) or sender),
            to_emails=To(letter.to_email, single_line(letter.to_name, MAX_NAME) or letter.to_email),
            subject=single_line(letter.subject, MAX_SUBJECT),
            plain_text_content=text,
            html_content=html_of(text),
        )
    except ApiKeyIncludedException:
        raise CallFailed("the letter begins with a SendGrid API key", final=True) from None
    if letter.reply_to is not None:
        mail.reply_to = ReplyTo(letter.reply_to)
    for name, value in parcel.custom_args.items():
        mail.add_custom_arg(CustomArg(name, value))
    body: dict[str, Any] = mail.get()
    return body
