"""A letter as the checks see it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from contracts.scheduler import Recipient

# A flag, and the text that it was raised for.
Match = tuple[str, str]

# Parts of a name or address that hide nothing when they are left out of the text.
_HARMLESS = re.compile(r"[\w\s.,'#&/-]+")


@dataclass(frozen=True)
class LetterText:
    """Subject and body in one form of letters and quotes, and what is known around them."""

    subject: str
    body: str
    recipient: Recipient
    earlier: Sequence[str]

    @property
    def all(self) -> str:
        """Subject and body."""
        return f"{self.subject}\n{self.body}"

    @cached_property
    def prose(self) -> str:
        """Subject and body without the salutation, names and addresses that are known.

        A street may be called Church, a client Christian, a company White. Numbers of houses are
        no prices.
        """
        client, agent = self.recipient.client, self.recipient.agent
        address = client.property_address or ""
        salutation, _, rest = self.body.partition("\n")
        body = rest if rest and salutation.rstrip().endswith((",", ":", "!", "،")) else self.body
        text = f"{self.subject}\n{body}"
        for known in (
            *(address, address.partition(",")[0], agent.company),
            *(agent.name, client.name, client.greeting),
        ):
            if known and len(known) > len("12 A") and _HARMLESS.fullmatch(known):
                text = re.sub(rf"(?<!\w){re.escape(known)}(?!\w)", "§", text)
        return text


def first_matches(patterns: Iterable[tuple[str, re.Pattern[str]]], text: str) -> Iterator[Match]:
    """Yield the flag and the text of each pattern that is found."""
    for flag, pattern in patterns:
        if found := pattern.search(text):
            yield flag, found[0]
