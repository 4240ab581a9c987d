"""The send policy: time limits of a call, retries, and what follows an unknown outcome."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.domain.retry import RetryPolicy
from services.mailer.email import OnUnknown


@dataclass(frozen=True)
class SendPolicy:
    """A call ends within `call`; its outcome is unknown `give_up_after` the attempt started.

    The provider's report may settle an unknown outcome within `reconcile`; then `on_unknown` does.
    """

    call: timedelta
    give_up_after: timedelta
    reconcile: timedelta
    on_unknown: OnUnknown
    retries: RetryPolicy
