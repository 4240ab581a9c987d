"""The port through which composer has letters written: its input, its output, its interface."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict

from chassis.domain.plain_text import paragraphs, single_line
from contracts.composer import Finding, TokensUsed
from contracts.crm import PropertyType, Stage
from contracts.scheduler import FollowupType, Recipient
from services.composer.languages import first_language

MAX_SUBJECT = 150
MAX_BODY = 5000


def _as_subject(text: str) -> str:
    subject = single_line(text)
    if not 1 <= len(subject) <= MAX_SUBJECT:
        raise ValueError(f"the subject has {len(subject)} characters")
    return subject


def _as_body(text: str) -> str:
    body = paragraphs(text)
    if not 1 <= len(body) <= MAX_BODY:
        raise ValueError(f"the body has {len(body)} characters")
    return body


@dataclass(frozen=True)
class EarlierLetter:
    """A letter as it was composed; the body with its signature."""

    composed_at: datetime
    subject: str
    body: str


@dataclass(frozen=True)
class CompositionRequest:
    """What a writer learns about the letter that it is to write.

    `now`: the time of the request. `earlier`: the last letters to this client in the agent's name,
    the oldest first. `findings`: what was wrong with the letter that it has just written for the
    same request.
    """

    followup_type: FollowupType
    stage: Stage
    property_type: PropertyType
    recipient: Recipient
    now: datetime | None = None
    earlier: Sequence[EarlierLetter] = ()
    findings: Sequence[Finding] = ()

    @property
    def language(self) -> str:
        """The language to write in (BCP 47): the client's, else the agent's, else English."""
        return first_language((self.recipient.client.language, self.recipient.agent.language))


class Composition(BaseModel):
    """A letter without its signature: a one-line subject (1-150), a plain text body (1-5000)."""

    # Also the model's answer format, docstring included. The limits are validators and not JSON
    # Schema keywords, since structured output in strict mode may refuse `maxLength`.
    model_config = ConfigDict(frozen=True)

    subject: Annotated[str, AfterValidator(_as_subject)]
    body: Annotated[str, AfterValidator(_as_body)]


@dataclass(frozen=True)
class Written:
    """A letter, the language that it is in (BCP 47), and its tokens, if the writer counts them."""

    composition: Composition
    language: str
    tokens: TokensUsed | None = None


class Writer(Protocol):
    """Writes a letter for the agent, from the greeting to the last sentence before the closing."""

    @property
    def name(self) -> str:
        """The value of `written_by`: the model's name, or `templates`."""

    async def write(self, request: CompositionRequest) -> Written:
        """Write one letter. Raises CallFailed; writing twice costs only money."""

    async def close(self) -> None:
        """Release connections and other resources."""
