"""Settings of scheduler."""

from datetime import timedelta

from pydantic import Field

from chassis.process.settings import Settings


class SchedulerSettings(Settings):
    """`followup_day_seconds`: the length of a plan's day; smaller compresses the calendar."""

    # No caller waits for an answer here: larger batches cost less.
    pace_seconds: float = Field(default=0.1, ge=0)
    followup_day_seconds: float = Field(default=86_400, gt=0)
    """Length of a day of the plan; smaller values compress the calendar."""

    @property
    def day(self) -> timedelta:
        """One day of the plan."""
        return timedelta(seconds=self.followup_day_seconds)
