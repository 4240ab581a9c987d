"""Errors that decide what happens next. Any other exception is a bug, and shown as one."""

from uuid import UUID

from contracts.replies import RejectionKind


class Refused(Exception):
    """A decision refuses. A command is answered with `reason`; an event is quarantined."""

    def __init__(
        self, reason: str, *, field: str | None = None, kind: RejectionKind = "conflict"
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field
        self.kind = kind


class TryLater(Exception):
    """Something is not known yet. The work is retried in `after` seconds; no attempt counts."""

    def __init__(self, reason: str, *, after: float = 1.0) -> None:
        super().__init__(reason)
        self.after = after


class OnHold(Exception):
    """The work waits for as long as `holder` holds it, without being looked at meanwhile."""

    def __init__(self, reason: str, holder: UUID) -> None:
        super().__init__(reason)
        self.holder = holder


class CallFailed(Exception):
    """A provider certainly did not do what it was asked. `reason` is free of personal data.

    `final`: a retry cannot help. `retry_after`: seconds that the provider asks to wait, if it does.
    """

    def __init__(
        self, reason: str, *, final: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.retry_after = retry_after


class Throttled(CallFailed):
    """A provider refused since it had too many calls. No attempt counts."""


class ProviderAway(CallFailed):
    """A provider is away, or refuses everybody. No attempt counts while it may come back.

    It need not be: work that fails while other work succeeds has a reason of its own.
    """


class OutcomeUnknown(Exception):
    """A provider may or may not have done what it was asked: the answer never came."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
