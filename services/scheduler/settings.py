"""Settings of scheduler."""

from pydantic import Field

from chassis.process.settings import CalendarSettings


class SchedulerSettings(CalendarSettings):
    """`followup_day_seconds`: the length of a plan's day; smaller compresses the calendar."""

    # No caller waits for an answer here: larger batches cost less.
    pace_seconds: float = Field(default=0.1, ge=0)
