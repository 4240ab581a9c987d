"""The SMTP server that SMTP_URL names."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# Submission with STARTTLS, and over TLS from the first byte (RFC 8314).
_PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(NamedTuple):
    """A server and the login there. `tls`: from the first byte; else it begins with STARTTLS.

    With a login STARTTLS is required, without one it is used if the server has it.
    """

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Parse an address such as `smtps://host:465`. Raises ValueError, without quoting it."""
        parts = urlsplit(url)
        try:
            port = parts.port or _PORTS[parts.scheme]
        except (KeyError, ValueError):
            port = None
        if not port or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(
                "SMTP_URL has to be smtp://host:port or smtps://host:port, with user:password@"
            )
        user, password = (unquote(part or "") or None for part in (parts.username, parts.password))
        if (user is None) != (password is None):
            raise ValueError("SMTP_URL has a user without a password, or the reverse")
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password)
