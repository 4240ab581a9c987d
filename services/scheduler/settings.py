"""Settings of scheduler."""

from pydantic import Field

from chassis.process.settings import SendingHoursSettings


class SchedulerSettings(SendingHoursSettings):
    """What decides when a follow-up is due: the length of a day, and the sending hours."""

    # No caller waits for an answer here: larger batches cost less.
    pace_seconds: float = Field(default=0.1, ge=0)
