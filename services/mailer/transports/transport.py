"""The port through which mailer sends letters: its input and its interface."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol
from uuid import UUID

from contracts.addresses import wire_address
from contracts.composer import Letter
from services.mailer.transports.headers import valid_address

# What a provider may put into a letter to learn what its reader does: a pixel; other links, too.
Tracking = Literal["none", "opens", "all"]


@dataclass(frozen=True)
class Ending:
    """What ends a letter to a client: the link to opt out by, and who writes from where."""

    opt_out_url: str
    postal_address: str = ""
    disclosure: str = ""


@dataclass(frozen=True)
class OutgoingLetter:
    """A letter and the attempt that sends it. Text in the letter is hostile input.

    `id` and `attempt` name the call; the provider's reports carry the `custom_args`. Links of a
    letter that is not `tracked` stay as they are: they are secrets of its reader. `follows` are
    the ids of letters before it. `reply_address`: where its replies come, besides the agent's. An
    `automatic` one wants no automatic answer (RFC 3834).
    """

    id: UUID
    attempt: int
    letter: Letter
    custom_args: Mapping[str, str]
    tracked: bool = True
    ending: Ending | None = None
    follows: tuple[UUID, ...] = ()
    reply_address: str | None = None
    automatic: bool = False

    @property
    def reply_to(self) -> tuple[str, ...]:
        """Return where replies go: to the agent first."""
        both = (self.letter.reply_to, self.reply_address)
        return tuple(wire_address(address) for address in both if address)


class Transport(Protocol):
    """Hands letters to a provider. Never retries."""

    async def send(self, outgoing: OutgoingLetter) -> str | None:
        """Send once; return the provider's message id, if it has one.

        Raises CallFailed when the letter certainly was not accepted, OutcomeUnknown when it may
        or may not have been.
        """

    async def close(self) -> None:
        """Release connections and other resources."""


class Redirect:
    """Sends every letter to one address instead (MAIL_REDIRECT_TO); names and texts stay."""

    def __init__(self, transport: Transport, address: str) -> None:
        if not valid_address(address):
            raise ValueError("the address to redirect to is not an email address")
        self._transport = transport
        self._address = address

    async def send(self, outgoing: OutgoingLetter) -> str | None:
        """Send the letter to the one address."""
        letter = outgoing.letter.model_copy(update={"to_email": self._address})
        return await self._transport.send(replace(outgoing, letter=letter))

    async def close(self) -> None:
        """Close the wrapped transport."""
        await self._transport.close()
