"""The messages of composer: the drafts that the writer makes of follow-ups."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.crm import PropertyType, Stage, Text
from contracts.message import AboutClient, Command, Contract, Event, Time, added
from contracts.scheduler import FollowupType, FormerAgents, Recipient

Subject = Annotated[str, Text, Field(min_length=1, max_length=200)]
Body = Annotated[str, Text, Field(min_length=1, max_length=20_000)]


class DraftStream(AboutClient):
    """Messages about the stream `draft-<followup_id>`: one draft per follow-up."""

    followup_id: UUID

    @property
    def stream(self) -> str:
        return f"draft-{self.followup_id}"


class Letter(Contract):
    """A composed email: sender, recipient and text.

    `from_email` is the agent's own address, `language` a BCP 47 tag. `postal_address` and
    `disclosure` are what the letter has to say of who writes; it says so when it is sent.
    """

    to_name: str
    to_email: str
    from_name: str
    reply_to: str | None = None
    subject: str
    body: str
    from_email: str | None = added()
    language: str | None = added()
    postal_address: str | None = added()
    disclosure: str | None = added()


class Finding(Contract):
    """Why a letter is not fit to send: `flag` names the kind, `excerpt` is the text it is about.

    Kinds so far: placeholder, refusal, leak, remark, json, html, markdown, list, header, signature,
    empty, link, email_address, phone, personal_number, price, fair_housing, repetition.
    """

    flag: str
    excerpt: str


class FlaggedLetter(Contract):
    """A letter that was not sent, since the guard found something, and what it found."""

    letter: Letter
    findings: tuple[Finding, ...]


class TokensUsed(Contract):
    """Tokens of all calls to the model for one letter: what it was given, what it wrote."""

    prompt: int
    completion: int


class DraftRequested(DraftStream, Event, name="realtoros.DraftRequested.v1"):
    """A draft of a follow-up was requested, again if it had one.

    `fell_due_at`: when the follow-up fell due, the order of a client's letters. `ahead_of`: the
    date of one that has not fallen due. `review`: the letter waits for the agent's approval,
    whatever the profiles say.
    """

    followup_type: FollowupType
    requested_at: Time
    stage: Stage
    property_type: PropertyType
    personal: Recipient
    former_agents: FormerAgents = None
    fell_due_at: Time | None = added()
    ahead_of: Time | None = added()
    review: Literal["approve"] | None = added()


class CompositionAttemptFailed(DraftStream, Event, name="realtoros.CompositionAttemptFailed.v1"):
    """The writer failed; the next attempt is at `retry_at`."""

    attempt: int
    error: str
    failed_at: Time
    retry_at: Time


class EmailComposed(DraftStream, Event, name="realtoros.EmailComposed.v1"):
    """The email was composed. `written_by` names the model, or the offline templates.

    `fell_due_at`: as in DraftRequested. `approved_at`: when the agent approved just this text; then
    `tokens` are told by the event that the letter came with.
    """

    written_by: str
    composed_at: Time
    personal: Letter
    former_agents: FormerAgents = None
    tokens: TokensUsed | None = None
    fell_due_at: Time | None = added()
    approved_at: Time | None = added()


class DraftWritten(DraftStream, Event, name="realtoros.DraftWritten.v1"):
    """The letter waits for the date of its follow-up, for the agent's approval, or for both.

    At `expires_at` it is discarded, unless it was approved or composed before.
    """

    written_by: str
    written_at: Time
    expires_at: Time
    tokens: TokensUsed | None = None
    personal: Letter


class DraftRevised(DraftStream, Event, name="realtoros.DraftRevised.v1"):
    """The agent has changed the letter, which is not approved any more if it was."""

    revised_at: Time
    expires_at: Time
    personal: Letter


class DraftApproved(DraftStream, Event, name="realtoros.DraftApproved.v1"):
    """The agent has approved the letter as it is; EmailComposed follows when it is due."""

    approved_at: Time


class DraftFellDue(DraftStream, Event, name="realtoros.DraftFellDue.v1"):
    """The follow-up of a draft that was requested ahead has fallen due."""

    fell_due_at: Time
    expires_at: Time
    stage: Stage
    property_type: PropertyType
    personal: Recipient
    former_agents: FormerAgents = None


class CompositionFailed(DraftStream, Event, name="realtoros.CompositionFailed.v1"):
    """The writer failed for good; RetryDraft tries again.

    With `flags`: it wrote a letter that is not fit to send, twice. A person has to look at it, and
    may approve it all the same.
    """

    attempts: int
    error: str
    failed_at: Time
    flags: tuple[str, ...] | None = None
    tokens: TokensUsed | None = None
    personal: FlaggedLetter | None = None
    written_by: str | None = added()


class DraftPostponed(DraftStream, Event, name="realtoros.DraftPostponed.v1"):
    """The draft is written later, from `until` on.

    `reason`: `daily_limit`, or `provider_away` of the language model; others may be added.
    """

    reason: str
    postponed_at: Time
    until: Time


class DraftDiscarded(DraftStream, Event, name="realtoros.DraftDiscarded.v1"):
    """The draft is not written, or not sent.

    `reason` is that of DueFollowupCancelled or FollowupCancelled; `by_agent`; `unapproved`: it
    waited too long. A follow-up that has not fallen due gets another one when it does.
    """

    reason: str
    discarded_at: Time


DraftEvent = (
    DraftRequested
    | CompositionAttemptFailed
    | DraftWritten
    | DraftRevised
    | DraftApproved
    | DraftFellDue
    | EmailComposed
    | CompositionFailed
    | DraftPostponed
    | DraftDiscarded
)


class RetryDraft(DraftStream, Command, name="realtoros.RetryDraft.v1"):
    """Try a failed draft again, from the first attempt."""


class LetterText(Contract):
    """What the agent wants a letter to say; what is absent stays."""

    subject: Subject | None = None
    body: Body | None = None


class PrepareDraft(DraftStream, Command, name="realtoros.PrepareDraft.v1"):
    """Write the letter of a pending follow-up ahead of its date, `scheduled_for`."""

    followup_type: FollowupType
    scheduled_for: Time
    stage: Stage
    property_type: PropertyType
    personal: Recipient


class RewriteDraft(DraftStream, Command, name="realtoros.RewriteDraft.v1"):
    """Write another letter, by `instructions`; it waits for the agent's approval."""

    stage: Stage
    property_type: PropertyType
    personal: Recipient


class ReviseDraft(DraftStream, Command, name="realtoros.ReviseDraft.v1"):
    """Change the letter."""

    personal: LetterText


class ApproveDraft(DraftStream, Command, name="realtoros.ApproveDraft.v1"):
    """Send the letter as it is, once it is due, to the client as `personal` describes it now."""

    personal: Recipient


class DiscardDraft(DraftStream, Command, name="realtoros.DiscardDraft.v1"):
    """Throw the letter away. A follow-up that is due is not sent then."""
