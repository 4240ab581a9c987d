"""The messages of crm: agents and their clients."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints

from contracts.message import (
    UNSET,
    AboutClient,
    Command,
    Contract,
    Event,
    Message,
    Time,
    Unset,
    added,
    unset,
)
from contracts.sending_hours import SendingHours
from contracts.steps import SequenceName, Steps

PropertyType = Literal["residential", "commercial", "land", "other"]
Stage = Literal["lead", "negotiating", "under_contract", "closed", "lost"]
# Whether letters are sent as they are written, or once the agent has approved each.
Review = Literal["automatic", "approve"]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("is no day, as in 2026-01-31") from None


Text = StringConstraints(strip_whitespace=True)
Name = Annotated[str, Text, Field(min_length=1, max_length=100)]
_PHONE = 20
Phone = Annotated[str, Text, Field(max_length=_PHONE)]
# With an extension, as in "+1 (555) 010-2306 ext. 4411".
FullPhone = Annotated[str, Text, Field(max_length=40)]
Address = Annotated[str, Text, Field(max_length=200)]
Notes = Annotated[str, Text, Field(max_length=1000)]
Greeting = Annotated[str, Text, Field(min_length=1, max_length=100)]
# BCP 47 (RFC 5646): the code of a language, as a rule with script or region, as in `zh-Hant-TW`.
Language = Annotated[
    str, Text, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")
]
# The form of an IANA name; who takes it from people knows which names there are.
TimeZone = Annotated[str, Text, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_+/-]*$")]
Source = Annotated[str, Text, Field(min_length=1, max_length=100)]
# A day of the calendar (ISO 8601).
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]
_DEEPEST = 5
_INT64 = 2**63


def _storable(value: Any, depth: int = 0) -> Any:
    """Refuse JSON that MongoDB cannot store: too deep, a number too long, NUL in a name."""
    match value:
        case dict() | list() if depth > _DEEPEST:
            raise ValueError(f"is nested deeper than {_DEEPEST} levels")
        case dict():
            for name, part in value.items():
                if not name or "\0" in name:
                    raise ValueError("has a field without a name, or with NUL in it")
                _storable(part, depth + 1)
        case list():
            for part in value:
                _storable(part, depth + 1)
        case float() if not isfinite(value):
            raise ValueError("has a number that JSON cannot write")
        case int() if not -_INT64 <= value < _INT64:
            raise ValueError("has a number of more than 64 bits")
    return value


CustomFields = Annotated[dict[str, Any], Field(max_length=50), AfterValidator(_storable)]


class AgentProfile(Contract):
    """What emails say of the agent. `time_zone` is an IANA name, `language` a BCP 47 tag.

    `disclosure`: what the law wants said of who writes, such as licence and brokerage. Without
    `review` letters are sent as they are written.
    """

    name: Name
    email: str
    title: str | None = None
    company: str | None = None
    phone: Phone | None = None
    signature: str | None = None
    reply_to: str | None = None
    time_zone: str = "UTC"
    postal_address: str | None = added()
    disclosure: str | None = added()
    website: str | None = added()
    language: str | None = added()
    sending_hours: SendingHours | None = added()
    review: Review | None = added()


class PersonalDetails(Contract):
    """A client's personal data.

    `greeting`: the name to greet with, such as "Dr. Núñez". `language` is the one to write in.
    `source`: where the lead comes from, such as "Zillow", on the day `lead_since`. `review` is for
    letters to this client; without it the agent's holds.
    """

    name: Name
    email: str
    phone: FullPhone | None = None
    property_address: Address | None = None
    notes: Notes | None = None
    custom_fields: CustomFields = {}
    greeting: Greeting | None = added()
    language: Language | None = added()
    time_zone: TimeZone | None = added()
    source: Source | None = added()
    lead_since: Day | None = added()
    review: Review | None = added()


class ClientDetails(PersonalDetails):
    """A client's personal data, as events carry it.

    `full_phone` is the telephone number where it is longer than `phone`, its beginning, may be.
    """

    phone: Phone | None = None
    full_phone: FullPhone | None = added()

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return the details with these PersonalDetails. Raises ValidationError."""
        details = PersonalDetails.model_validate(fields)
        phone = details.phone or ""
        both = {"phone": phone[:_PHONE].rstrip(), "full_phone": phone}
        return cls.model_validate(details.model_dump() | (both if len(phone) > _PHONE else {}))

    def fields(self) -> dict[str, Any]:
        """Return the PersonalDetails."""
        fields = self.model_dump(exclude={"full_phone"})
        return fields | {"phone": self.full_phone or self.phone}


class NamedSequence(Contract):
    """A sequence of follow-ups. Clients at `stages` are offered it."""

    name: SequenceName
    stages: tuple[Stage, ...] = ()


class PlannedSequence(NamedSequence):
    """A sequence with its steps, as it was when it was chosen for a client."""

    steps: Steps

    @property
    def named(self) -> NamedSequence:
        """The sequence without its steps."""
        return NamedSequence(name=self.name, stages=self.stages)


class AgentStream(Message):
    """Messages about the stream `agent-<agent_id>`."""

    @property
    def stream(self) -> str:
        return f"agent-{self.agent_id}"

    @property
    def key(self) -> UUID:
        return self.agent_id


class AgentRegistered(AgentStream, Event, name="realtoros.AgentRegistered.v1"):
    """An agent was registered."""

    registered_at: Time
    personal: AgentProfile


class AgentUpdated(AgentStream, Event, name="realtoros.AgentUpdated.v1"):
    """The agent's whole profile after a change."""

    updated_at: Time
    personal: AgentProfile


class AgentDeactivated(AgentStream, Event, name="realtoros.AgentDeactivated.v1"):
    """Nothing is sent in the agent's name until AgentReactivated: plans and emails wait."""

    deactivated_at: Time


class AgentReactivated(AgentStream, Event, name="realtoros.AgentReactivated.v1"):
    """Plans and emails of the agent go on; of the follow-ups of a client, one a day.

    It may come for an agent that was active.
    """

    reactivated_at: Time


class ClientStream(AboutClient):
    """Messages about the stream `client-<client_id>`."""

    @property
    def stream(self) -> str:
        return f"client-{self.client_id}"


class ClientCreated(ClientStream, Event, name="realtoros.ClientCreated.v1"):
    """A client was added. The plan of follow-ups counts from `created_at`.

    It has the steps of `sequence`; without one the five of a new lead, or none for a closed client.
    `opted_out`: the client had said no to emails before, so there is no plan. The plan counts in
    days of the client's time zone, else of `agent_time_zone`; that of an `imported` client is
    spread.
    """

    stage: Stage
    property_type: PropertyType
    created_at: Time
    personal: ClientDetails
    opted_out: bool = False
    agent_time_zone: TimeZone | None = added()
    imported: Literal[True] | None = added()
    sequence: PlannedSequence | None = added()


class ClientUpdated(ClientStream, Event, name="realtoros.ClientUpdated.v1"):
    """The whole client after a change."""

    stage: Stage
    property_type: PropertyType
    created_at: Time
    updated_at: Time
    personal: ClientDetails


class ClientReassigned(ClientStream, Event, name="realtoros.ClientReassigned.v1"):
    """The client belongs to the agent `agent_id` from now on, with plan and history.

    Nothing more is sent in the name of `former_agent_id`; opt-outs told to that agent still hold.
    """

    former_agent_id: UUID
    reassigned_at: Time


class ClientDeleted(ClientStream, Event, name="realtoros.ClientDeleted.v1"):
    """The client was deleted: nothing more may be sent, and another may have the email address."""

    deleted_at: Time


AgentEvent = AgentRegistered | AgentUpdated | AgentDeactivated | AgentReactivated
ClientEvent = ClientCreated | ClientUpdated | ClientReassigned | ClientDeleted


class RegisterAgent(AgentStream, Command, name="realtoros.RegisterAgent.v1"):
    """Register the agent `agent_id`; for one that is known already, update the profile."""

    personal: AgentProfile


class UpdateAgent(RegisterAgent, name="realtoros.UpdateAgent.v1"):
    """Replace the profile of a registered agent."""


class DeactivateAgent(AgentStream, Command, name="realtoros.DeactivateAgent.v1"):
    """Let nothing be sent in the agent's name. Does nothing after a later change of the same."""

    deactivated_at: Time


class ReactivateAgent(AgentStream, Command, name="realtoros.ReactivateAgent.v1"):
    """End a deactivation. Does nothing after a later change of the same."""

    reactivated_at: Time


class NewClientDetails(PersonalDetails):
    """The details of a new client: the email has to be a valid address."""

    email: EmailStr


class CreateClient(ClientStream, Command, name="realtoros.CreateClient.v1"):
    """Add a client under the id that the caller chose.

    `opted_out`: the client has said no to emails, which SuppressAddress tells mailer. The rest is
    as ClientCreated says.
    """

    stage: Stage = "lead"
    property_type: PropertyType = "residential"
    personal: NewClientDetails
    opted_out: bool = False
    agent_time_zone: TimeZone | None = added()
    imported: Literal[True] | None = added()
    sequence: PlannedSequence | None = added()


class ClientDetailsPatch(Contract):
    """Details to change (RFC 7396): what is absent stays, null empties what may be empty."""

    name: Name | Unset = unset("")
    email: EmailStr | Unset = unset("")
    phone: FullPhone | Unset | None = unset(None)
    property_address: Address | Unset | None = unset(None)
    notes: Notes | Unset | None = unset(None)
    custom_fields: CustomFields | Unset | None = unset(None)
    greeting: Greeting | Unset | None = UNSET
    language: Language | Unset | None = UNSET
    time_zone: TimeZone | Unset | None = UNSET
    source: Source | Unset | None = UNSET
    lead_since: Day | Unset | None = UNSET
    review: Review | Unset | None = UNSET


_PUBLISHED_PATCH: dict[str, Any] = {"name": "", "email": "", "phone": None} | dict.fromkeys(
    ("property_address", "notes", "custom_fields")
)


class UpdateClient(ClientStream, Command, name="realtoros.UpdateClient.v1"):
    """Change what is present; the rest stays as it is."""

    stage: Stage | Unset = unset("lead")
    property_type: PropertyType | Unset = unset("residential")
    personal: ClientDetailsPatch = Field(
        default=ClientDetailsPatch(),
        json_schema_extra={"default": _PUBLISHED_PATCH},
    )


class ReassignClient(ClientStream, Command, name="realtoros.ReassignClient.v1"):
    """Move the client from the agent `agent_id` to another one."""

    to_agent_id: UUID


class DeleteClient(ClientStream, Command, name="realtoros.DeleteClient.v1"):
    """Delete the client and cancel its pending follow-ups."""
