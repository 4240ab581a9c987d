"""The health of a dependency, as readiness reports it."""

import math
import time


class DependencyHealth:
    """Whether calls to a dependency fail again and again.

    A failure is reported once calls have failed for `patience` seconds without a success, and
    forgotten `memory` seconds after the last one.
    """

    def __init__(self, *, patience: float = 0.0, memory: float = math.inf) -> None:
        self._patience = patience
        self._memory = memory
        self._reason = ""
        self._since: float | None = None
        self._until = 0.0

    def failed(self, reason: str, memory: float | None = None) -> None:
        """Note that a call failed; `memory` is for this failure only."""
        now = time.monotonic()
        if self._since is None or now > self._until:
            self._since = now
        self._reason = reason
        self._until = now + (self._memory if memory is None else memory)

    def succeeded(self) -> None:
        """Note that a call succeeded."""
        self._since = None

    @property
    def reason(self) -> str | None:
        """Why calls fail, or None."""
        now = time.monotonic()
        if self._since is None or now > self._until or now < self._since + self._patience:
            return None
        return self._reason

    async def check(self) -> str | None:
        """Return the reason, as a readiness check does."""
        return self.reason
