"""What carries the letters: the port that the mailer calls, and what goes in and comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from contracts.composer import Letter
from services.mailer.transports.headers import valid_address


@dataclass(frozen=True)
class Parcel:
    """A letter and what it belongs to. Text in the letter is hostile input.

    `id` and `attempt` name the call; by `custom_args` the provider's reports are told apart later.
    """

    id: UUID
    attempt: int
    letter: Letter
    custom_args: Mapping[str, str]


class Transport(Protocol):
    """Hands letters to whoever delivers them. It never tries twice."""

    async def send(self, parcel: Parcel) -> str | None:
        """Send once and give the provider's message id, if it named one.

        Raises CallFailed when the letter certainly was not accepted, OutcomeUnknown when it may
        or may not have been.
        """

    async def close(self) -> None:
        """Give back what the transport holds."""


class Redirect:
    """Sends everything to one address instead (MAIL_REDIRECT_TO); names and texts stay."""

    def __init__(self, transport: Transport, address: str) -> None:
        if not valid_address(address):
            raise ValueError("the address to redirect to is not an email address")
        self._transport = transport
        self._address = address

    async def send(self, parcel: Parcel) -> str | None:
        """Send the parcel to the one address."""
        letter = parcel.letter.model_copy(update={"to_email": self._address})
        return await self._transport.send(replace(parcel, letter=letter))

    async def close(self) -> None:
        """Close the transport inside."""
        await self._transport.close()
