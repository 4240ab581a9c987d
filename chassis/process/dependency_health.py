"""Trouble with a dependency, for readiness to tell of."""

import math
import time


class DependencyHealth:
    """What goes wrong again and again.

    Told once it has lasted `patience` seconds without a success; forgotten `memory` seconds after
    it came last.
    """

    def __init__(self, *, patience: float = 0.0, memory: float = math.inf) -> None:
        self._patience = patience
        self._memory = memory
        self._reason = ""
        self._since: float | None = None
        self._until = 0.0

    def note(self, reason: str, memory: float | None = None) -> None:
        """It went wrong; `memory` is for this time only."""
        now = time.monotonic()
        if self._since is None or now > self._until:
            self._since = now
        self._reason = reason
        self._until = now + (self._memory if memory is None else memory)

    def clear(self) -> None:
        """It went well."""
        self._since = None

    @property
    def reason(self) -> str | None:
        """What goes wrong, or None."""
        now = time.monotonic()
        if self._since is None or now > self._until or now < self._since + self._patience:
            return None
        return self._reason

    async def check(self) -> str | None:
        """Answer as a check of readiness."""
        return self.reason
