"""The faults of a provider: `PUT /_faults` with a JSON list of them.

A fault says what happens to the requests it applies to; its fields can be combined:

    {"status": 429, "headers": {"Retry-After": "2"}, "body": {…}}   refused, not accepted
    {"delay": 0.5}               answered so many seconds later; acceptance is not delayed
    {"drop": "before"}           the connection is closed without an answer, nothing accepted
    {"drop": "after"}            accepted, then the connection is closed without an answer
    {"malformed": true}          accepted, but the answer's body is not what the API promises
    {"malformed": "content"}     OpenAI: the text the model wrote breaks the JSON schema
    {"truncated": true}          accepted, but the connection closes within the answer's body
    {"truncated": "content"}     OpenAI: the model ran out of tokens (finish_reason "length")
    {"refusal": true}            OpenAI: the model refuses

    {"status": 429, "beyond": 20}    only requests beyond so many in a second

    {"status": 400, "containing": "ann@"}    only requests with this text in the body

and for how many of the requests: `times` (1 unless given; null is forever) and `rate` (a
probability, drawn for each request, with an optional `seed`). The first fault in the list that
has times left and whose draw succeeds applies, so faults without a rate follow one another.
"""

import random
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter

_WHICH = {"times", "rate", "seed", "beyond", "containing"}


class Fault(BaseModel):
    """One fault; see the module's docstring."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: int | None = None
    headers: Mapping[str, str] = {}
    body: Any = None
    delay: float = 0.0
    drop: Literal["before", "after"] | None = None
    malformed: bool | Literal["content"] = False
    truncated: bool | Literal["content"] = False
    refusal: bool = False

    beyond: int | None = None
    containing: str = ""
    times: int | None = 1
    rate: float = 1.0
    seed: int | None = None
    _random: random.Random = PrivateAttr(default_factory=random.Random)
    # The requests of the last second.
    _recent: deque[float] = PrivateAttr(default_factory=deque)

    def model_post_init(self, _context: object, /) -> None:
        """Seed the draws, so that they are the same every time."""
        if self.seed is not None:
            self._random.seed(self.seed)

    @property
    def name(self) -> dict[str, Any] | None:
        """Return the fault's effects, without how often; None if it has none."""
        return self.model_dump(exclude_defaults=True, exclude=_WHICH) or None

    @property
    def accepts(self) -> bool:
        """Whether the provider accepts the request, whatever it answers."""
        return self.status is None and self.drop != "before"

    def applies(self, body: bytes, now: float) -> bool:
        """Draw, and use up one of the times if it applies."""
        if self.containing.encode() not in body:
            return False
        if self.beyond is not None and self._allows(self.beyond, now):
            return False
        if self.times == 0 or (self.rate < 1.0 and self._random.random() >= self.rate):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _allows(self, beyond: int, now: float) -> bool:
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if len(self._recent) >= beyond:
            return False
        self._recent.append(now)
        return True


NO_FAULT = Fault(times=None)
_FAULTS = TypeAdapter(list[Fault])


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def replace(self, text: bytes) -> None:
        """Replace the faults by those of a JSON list. Raises pydantic.ValidationError."""
        self._faults = _FAULTS.validate_json(text)

    def clear(self) -> None:
        """Remove all faults."""
        self._faults = []

    def next(self, body: bytes) -> Fault:
        """Return the fault for a request with this body."""
        for fault in self._faults:
            if fault.applies(body, time.monotonic()):
                return fault
        return NO_FAULT
