"""How letters to clients end: the way out, who writes, and from where (CAN-SPAM, CASL)."""

from contracts.links.opt_out import OptOut, OptOutTokens, Purpose
from services.mailer.email import Email
from services.mailer.settings import MailerSettings
from services.mailer.transports.headers import check_addresses
from services.mailer.transports.transport import Ending


class Endings:
    """The endings of all letters. `postal_address` is for agents who have none of their own."""

    def __init__(self, tokens: OptOutTokens, public_url: str, postal_address: str) -> None:
        self._tokens = tokens
        self._public_url = public_url.rstrip("/")
        self._postal_address = postal_address

    @classmethod
    def by(cls, settings: MailerSettings) -> "Endings":
        """Return the endings that the settings ask for; redirected letters opt nobody out."""
        purpose: Purpose = "preview" if settings.mail_redirect_to else "opt_out"
        tokens = OptOutTokens(settings.opt_out_keys, purpose)
        return cls(tokens, settings.public_url, settings.mail_postal_address or "")

    def of(self, email: Email) -> Ending:
        """Return the ending. Raises a final CallFailed when the address is invalid."""
        letter = email.personal
        check_addresses(letter)
        claims = OptOut(
            email.agent_id, email.client_id, email.followup_id, email.email_id, letter.to_email
        )
        return Ending(
            opt_out_url=f"{self._public_url}/u/{self._tokens.seal(claims)}",
            postal_address=letter.postal_address or self._postal_address,
            disclosure=letter.disclosure or "",
        )
