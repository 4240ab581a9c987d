"""Requests and responses about links."""

from pydantic import BaseModel, ConfigDict

from services.gateway.accounts.password_policy import Password
from services.gateway.accounts.schemas import Body, Code, EnteredPassword, LinkToken, LoginEmail


class Confirmation(Body):
    """The token of the link in the email, and the password that was chosen at registration."""

    model_config = ConfigDict(title="AddressConfirmation")

    token: LinkToken
    password: EnteredPassword


class ForgottenPassword(Body):
    """The address of the account."""

    email: LoginEmail


class PasswordReset(Body):
    """The token of the link in the email, and the new password."""

    token: LinkToken
    new_password: Password
    revoke_keys: bool = False


class LinkRequested(BaseModel):
    """The request is stored. What is mailed depends on whether the address has an account."""

    detail: str = "look at your mailbox: a link comes by email, and works for an hour"


class LinkLogin(Body):
    """The token of a one-time link, and for an account with a second factor its code."""

    token: LinkToken
    code: Code | None = None
