"""The policy of sending: how long a call may take, and what follows when it says no or nothing."""

from dataclasses import dataclass
from datetime import timedelta

from chassis.domain.retry import RetryPolicy
from services.mailer.email import OnUnknown


@dataclass(frozen=True)
class SendPolicy:
    """A call ends after `call`, well before its attempt is given up, `give_up_after` its start.

    An unknown outcome waits `reconcile` for the provider's report, then for what `on_unknown` says.
    """

    call: timedelta
    give_up_after: timedelta
    reconcile: timedelta
    on_unknown: OnUnknown
    retries: RetryPolicy
