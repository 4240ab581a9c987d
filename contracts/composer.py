"""The messages of composer: the drafts that the writer makes of due follow-ups."""

from uuid import UUID

from contracts.crm import PropertyType, Stage
from contracts.message import AboutClient, Command, Contract, Event, Time, added
from contracts.scheduler import FollowupType, FormerAgents, Recipient


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
    """A draft of a due follow-up was requested.

    `fell_due_at`: when the follow-up fell due, the order of a client's letters.
    """

    followup_type: FollowupType
    requested_at: Time
    stage: Stage
    property_type: PropertyType
    personal: Recipient
    former_agents: FormerAgents = None
    fell_due_at: Time | None = added()


class CompositionAttemptFailed(DraftStream, Event, name="realtoros.CompositionAttemptFailed.v1"):
    """The writer failed; the next attempt is at `retry_at`."""

    attempt: int
    error: str
    failed_at: Time
    retry_at: Time


class EmailComposed(DraftStream, Event, name="realtoros.EmailComposed.v1"):
    """The email was composed. `written_by` names the model, or the offline templates.

    `fell_due_at`: as in DraftRequested.
    """

    written_by: str
    composed_at: Time
    personal: Letter
    former_agents: FormerAgents = None
    tokens: TokensUsed | None = None
    fell_due_at: Time | None = added()


class CompositionFailed(DraftStream, Event, name="realtoros.CompositionFailed.v1"):
    """The writer failed for good; RetryDraft tries again.

    With `flags`: it wrote a letter that is not fit to send, twice. A person has to look at it.
    """

    attempts: int
    error: str
    failed_at: Time
    flags: tuple[str, ...] | None = None
    tokens: TokensUsed | None = None
    personal: FlaggedLetter | None = None


class DraftPostponed(DraftStream, Event, name="realtoros.DraftPostponed.v1"):
    """The draft is written later, from `until` on.

    `reason`: `daily_limit`, or `provider_away` of the language model; others may be added.
    """

    reason: str
    postponed_at: Time
    until: Time


class DraftDiscarded(DraftStream, Event, name="realtoros.DraftDiscarded.v1"):
    """The draft is not written, or not again. `reason` is that of DueFollowupCancelled."""

    reason: str
    discarded_at: Time


DraftEvent = (
    DraftRequested
    | CompositionAttemptFailed
    | EmailComposed
    | CompositionFailed
    | DraftPostponed
    | DraftDiscarded
)


class RetryDraft(DraftStream, Command, name="realtoros.RetryDraft.v1"):
    """Try a failed draft again, from the first attempt."""
