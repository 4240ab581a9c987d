"""Requests and responses about accounts, agents and API keys."""

from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from contracts.crm import Name, Phone
from contracts.message import UNSET, Time, Unset
from services.gateway.accounts.caller import Role, Scope
from services.gateway.accounts.passwords import Password

_ZONES = available_timezones()


def _known_zone(name: str) -> str:
    if name not in _ZONES:
        raise ValueError("is not an IANA time zone")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone), Field(examples=["America/New_York"])]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Signature = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
LoginEmail = Annotated[EmailStr, Field(max_length=254, examples=["dana@reed.example"])]
# A password to compare: a short one is wrong, not invalid.
EnteredPassword = Annotated[str, Field(min_length=1, max_length=200)]


class Body(BaseModel):
    """Base of requests: unknown fields are rejected, and errors do not quote the input."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Registration(Body):
    """An agent to register; `name` and the rest sign the emails."""

    email: LoginEmail
    password: Password
    name: Annotated[Name, Field(examples=["Dana Reed"])]
    title: Line | None = None
    company: Line | None = None
    phone: Phone | None = None
    signature: Signature | None = None
    reply_to: EmailStr | None = None
    time_zone: TimeZone = "UTC"


class NewAgent(Registration):
    """An agent to be added by an admin."""

    role: Role = "agent"


class Login(Body):
    """Email and password."""

    email: Annotated[str, Field(max_length=254, examples=["dana@reed.example"])]
    password: EnteredPassword


class Refresh(Body):
    """The refresh token of the last response."""

    refresh_token: Annotated[str, Field(max_length=200)]


class NewPassword(Body):
    """The current password and the new one."""

    current_password: EnteredPassword
    new_password: Password


class LoggedIn(BaseModel):
    """Tokens (RFC 6749); the access token expires after `expires_in` seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the type, not the token
    expires_in: int
    refresh_token: str


class Agent(BaseModel):
    """An agent: the profile that clients see, and the account."""

    id: UUID
    role: Role
    login: str
    email: str
    name: str
    title: str | None = None
    company: str | None = None
    phone: str | None = None
    signature: str | None = None
    reply_to: str | None = None
    time_zone: str


class AgentPatch(Body):
    """Changes to a profile (RFC 7396): what is absent stays, null empties what may be empty."""

    name: Name | Unset = UNSET
    email: EmailStr | Unset = UNSET
    title: Line | Unset | None = UNSET
    company: Line | Unset | None = UNSET
    phone: Phone | Unset | None = UNSET
    signature: Signature | Unset | None = UNSET
    reply_to: EmailStr | Unset | None = UNSET
    time_zone: TimeZone | Unset = UNSET


class Account(BaseModel):
    """An account, for admins."""

    id: UUID = Field(alias="_id")
    email: str
    role: Role
    active: bool
    created_at: Time


class AccountPatch(Body):
    """Changes to an account; a new password and `active: false` end all sessions."""

    role: Role | None = None
    active: bool | None = None
    password: Password | None = None


class Quarantined(BaseModel):
    """A record that a service could not handle: `<service>/<topic>-<partition>-<offset>`."""

    name: str
    at: str
    type: str
    reason: str


class NewKey(Body):
    """An API key to create."""

    name: Annotated[Name, Field(examples=["CRM of the office"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = ["read"]


class Key(BaseModel):
    """An API key, without its secret."""

    id: UUID = Field(alias="_id")
    name: str
    scopes: list[Scope]
    created_at: Time


class CreatedKey(Key):
    """A new API key. `key` is shown only this once."""

    key: str
