"""Settings of mailer: what ends the start, and with which line."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.links.opt_out import InvalidToken
from services.mailer.letters.endings import Endings
from services.mailer.settings import MailerSettings
from services.mailer.transport_choice import transport_for
from services.mailer.transports.mailbox import Mailbox
from services.mailer.transports.sendgrid import SendGridTransport
from services.mailer.transports.smtp import SmtpTransport
from tests.services.mailer.sample_emails import QUEUED, folded
from tests.services.mailer.sample_letters import TOKENS
from tests.system import FIT_TO_SEND

FIT: dict[str, Any] = {name.lower(): value for name, value in FIT_TO_SEND.items()}
LOGIN = "u:secret"
SENDGRID, SMTP = {"sendgrid_api_key": "SG.x"}, {"smtp_url": f"smtps://{LOGIN}@relay.example"}


def settings(**given: Any) -> MailerSettings:
    needed = {
        "kafka_bootstrap_servers": "k:1",
        "mongodb_uri": "mongodb://m",
        "unsubscribe_keys": "1:only-for-tests-only-for-tests-only",
    }
    return MailerSettings.model_validate(needed | given)


@pytest.mark.parametrize(
    ("given", "kind"),
    [({}, Mailbox), (SENDGRID | FIT, SendGridTransport), (SMTP | FIT, SmtpTransport)],
)
async def test_the_transport_follows_from_the_settings(given: dict[str, Any], kind: type) -> None:
    transport, _ = transport_for(settings(**given))
    assert type(transport) is kind
    await transport.close()


@pytest.mark.parametrize("real", [SENDGRID, SMTP])
@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"public_url": "http://realtoros.example"}, "PUBLIC_URL has to begin with https://"),
        ({"mail_postal_address": ""}, "MAIL_POSTAL_ADDRESS is missing"),
        (SENDGRID | SMTP, "SENDGRID_API_KEY and SMTP_URL are both set"),
        ({"smtp_url": "relay.example:secret"}, "SMTP_URL has to be"),
        ({"mail_tracking": "clicks"}, "'none', 'opens' or 'all'"),
        ({"unsubscribe_keys": "1:short"}, "has to be name:secret"),
    ],
)
def test_letters_that_are_not_fit_to_send_end_the_start(
    real: dict[str, Any], given: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ValidationError, match=wrong) as refused:
        settings(**FIT | real | given)
    assert "secret" not in str(refused.value).replace("name:secret, each secret", "")


def test_links_of_redirected_letters_opt_nobody_out() -> None:
    email = folded(QUEUED)
    token = Endings.by(settings()).of(email).opt_out_url.rpartition("/")[2]
    assert TOKENS.open(token).address == email.personal.to_email
    redirected = Endings.by(settings(mail_redirect_to="staging@team.example"))
    with pytest.raises(InvalidToken):
        TOKENS.open(redirected.of(email).opt_out_url.rpartition("/")[2])


def test_the_postal_address_is_the_agent_s_own_or_that_of_the_installation() -> None:
    endings, email = Endings.by(settings(**FIT)), folded(QUEUED)
    assert endings.of(email).postal_address == FIT["mail_postal_address"]
    letter = email.personal.model_copy(update={"postal_address": "2 Elm Street"})
    own = email.model_copy(update={"personal": letter})
    assert endings.of(own).postal_address == "2 Elm Street"
