"""The letters with the links. No text in them comes from who asked: that may be a stranger."""

from urllib.parse import quote

from contracts.composer import Letter
from contracts.notices import own_letter
from services.gateway.accounts.links.tokens import Purpose

_WITHIN = "Open this page within an hour"
_IGNORE = "If it was not you, do nothing"


def link_url(public_url: str, purpose: Purpose, token: str) -> str:
    """Return the address of the page with the form."""
    return f"{public_url.rstrip('/')}/{purpose}?token={quote(token)}"


def confirm_address(email: str, url: str) -> Letter:
    """Return the letter to an address that is to have an account."""
    return own_letter(
        email,
        "confirm your address",
        "Somebody, probably you, asks for an account under this address.\n\n"
        f"{_WITHIN} and enter the password that you chose:\n\n{url}\n\n"
        f"{_IGNORE}: without that there is no account.",
    )


def already_registered(email: str) -> Letter:
    """Return the letter to an address that has an account."""
    return own_letter(
        email,
        "you have an account already",
        "Somebody, probably you, asks for an account under this address, which has one.\n\n"
        "Log in with your password. If you have forgotten it, ask for a new one there.\n\n"
        f"{_IGNORE}: nothing has changed.",
    )


def reset_password(email: str, url: str) -> Letter:
    """Return the letter to who has forgotten the password."""
    return own_letter(
        email,
        "set a new password",
        "Somebody, probably you, asks for a new password for the account under this address.\n\n"
        f"{_WITHIN} and choose one:\n\n{url}\n\n"
        f"The link works once. {_IGNORE}: the password stays as it is.",
    )
