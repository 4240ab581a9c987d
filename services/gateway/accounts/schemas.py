"""Requests and responses about accounts, agents and API keys."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from contracts.crm import Language, Name, Phone, Review
from contracts.message import UNSET, Time, Unset
from contracts.sending_hours import ClockTime, SendingHours, Weekdays
from services.gateway.accounts.caller import Role, Scope
from services.gateway.accounts.password_policy import Password, not_of
from services.gateway.read_models.schemas.common import KnownZone


def _in_the_future(at: datetime) -> datetime:
    if at <= datetime.now(UTC):
        raise ValueError("has to be in the future")
    return at


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Signature = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
# On several lines, as on an envelope.
PostalAddress = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Disclosure = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Website = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=200,
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s<>\"']*)?$",
    ),
    Field(examples=["https://reed-homes.example"]),
]
LoginEmail = Annotated[EmailStr, Field(max_length=254, examples=["dana@reed.example"])]
# A password to compare: a short one is wrong, not invalid.
EnteredPassword = Annotated[str, Field(min_length=1, max_length=200)]
LinkToken = Annotated[str, Field(min_length=1, max_length=200)]
# Six digits of an authenticator app, or a recovery code.
Code = Annotated[str, Field(min_length=6, max_length=40, examples=["492039"])]


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
    time_zone: KnownZone = "UTC"

    @field_validator("password")
    @classmethod
    def _is_not_the_address(cls, password: str, info: ValidationInfo) -> str:
        return not_of(info.data.get("email", ""), password)


class NewAgent(Registration):
    """An agent to be added by an admin."""

    role: Role = "agent"


class Login(Body):
    """Email and password, and for an account with a second factor its code."""

    email: Annotated[str, Field(max_length=254, examples=["dana@reed.example"])]
    password: EnteredPassword
    code: Code | None = None


class Refresh(Body):
    """The refresh token of the last response."""

    model_config = ConfigDict(title="TokenRefresh")

    refresh_token: Annotated[str, Field(max_length=200)]


class NewPassword(Body):
    """The current password and the new one; `revoke_keys` revokes all API keys, too."""

    current_password: EnteredPassword
    new_password: Password
    revoke_keys: bool = False


class NewLogin(Body):
    """The current password, and the address to log in with from now on."""

    current_password: EnteredPassword
    email: LoginEmail


class PasswordAgain(Body):
    """The current password, and a code of the second factor if there is one."""

    current_password: EnteredPassword
    code: Code | None = None


class SecondFactorCode(Body):
    """The code that the authenticator app shows."""

    code: Code


class Enrolment(BaseModel):
    """What the authenticator app has to know: `uri` as a QR code, or `secret` typed in."""

    model_config = ConfigDict(title="SecondFactorEnrolment")

    secret: str
    uri: str


class RecoveryCodes(BaseModel):
    """Codes for when the app is lost, each good once. They are shown only this once."""

    model_config = ConfigDict(title="NewRecoveryCodes")

    recovery_codes: list[str]


class LoggedIn(BaseModel):
    """Tokens (RFC 6749); the access token expires after `expires_in` seconds."""

    model_config = ConfigDict(title="SessionTokens")

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the type, not the token
    expires_in: int
    refresh_token: str


class Agent(BaseModel):
    """An agent: the profile that clients see, and the account."""

    model_config = ConfigDict(title="AgentView")

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
    postal_address: str | None = None
    disclosure: str | None = None
    website: str | None = None
    language: str | None = None
    sending_hours: SendingHours | None = None
    review: Review | None = None
    second_factor: bool


class NewSendingHours(SendingHours):
    """When emails may leave: on these days from `start` to before `end`; "24:00" ends a day.

    In the client's time zone, else the agent's. All three are wanted: none stays as it was.
    """

    model_config = ConfigDict(extra="forbid")

    days: Weekdays
    start: ClockTime
    end: ClockTime


class AgentPatch(Body):
    """Changes to a profile (RFC 7396): what is absent stays, null empties what may be empty.

    Without `sending_hours` of its own the agent has those of the installation (`SEND_WINDOW`).
    With `review: approve` no letter is sent before the agent has approved it.
    """

    name: Name | Unset = UNSET
    email: EmailStr | Unset = UNSET
    title: Line | Unset | None = UNSET
    company: Line | Unset | None = UNSET
    phone: Phone | Unset | None = UNSET
    signature: Signature | Unset | None = UNSET
    reply_to: EmailStr | Unset | None = UNSET
    time_zone: KnownZone | Unset = UNSET
    postal_address: PostalAddress | Unset | None = UNSET
    disclosure: Disclosure | Unset | None = UNSET
    website: Website | Unset | None = UNSET
    language: Language | Unset | None = UNSET
    sending_hours: NewSendingHours | Unset | None = UNSET
    review: Review | Unset | None = UNSET


class Session(BaseModel):
    """Where the agent is logged in: a browser, or a program with tokens.

    `user_agent` is what it called itself at the log-in. `last_used_at` is exact to an hour.
    `is_current`: the one that asks.
    """

    model_config = ConfigDict(title="AgentSession")

    id: UUID = Field(alias="_id")
    user_agent: str | None = None
    in_browser: Annotated[bool, BeforeValidator(bool)] = False
    is_current: bool = False
    began_at: Time | None = None
    last_used_at: Time | None = None
    expires_at: Time


class Account(BaseModel):
    """An account, for admins."""

    model_config = ConfigDict(title="AccountView")

    id: UUID = Field(alias="_id")
    email: str
    role: Role
    active: bool
    second_factor: Annotated[bool, BeforeValidator(bool)] = False
    created_at: Time


class AccountPatch(Body):
    """Changes to an account; a new password and `active: false` end all sessions."""

    role: Role | None = None
    active: bool | None = None
    password: Password | None = None


class Reassignment(Body):
    """The agent who gets another one's clients."""

    to_agent_id: UUID


class Quarantined(BaseModel):
    """A record that a service could not handle: `<service>/<topic>-<partition>-<offset>`."""

    model_config = ConfigDict(title="QuarantinedRecord")

    name: str
    at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    type: str
    reason: str


class NewKey(Body):
    """An API key to create; without `expires_at` it is valid until it is revoked."""

    model_config = ConfigDict(title="NewApiKey")

    current_password: EnteredPassword
    name: Annotated[Name, Field(examples=["CRM of the office"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = ["read"]
    expires_at: Annotated[Time, AfterValidator(_in_the_future)] | None = None


class Key(BaseModel):
    """An API key, without its secret. `last_used_at` is exact to a minute."""

    model_config = ConfigDict(title="ApiKey")

    id: UUID = Field(alias="_id")
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None = None
    last_used_at: Time | None = None


class CreatedKey(Key):
    """A new API key. `key` is shown only this once."""

    model_config = ConfigDict(title="CreatedApiKey")

    key: str
