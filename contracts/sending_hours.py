"""The hours of the week in which an agent's emails may leave."""

from typing import Annotated, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from contracts.message import Contract

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=len(WEEKDAYS))]
ClockTime = Annotated[
    str,
    Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", examples=["08:00"]),
]


class SendingHours(Contract):
    """When an agent's emails may leave: on these days from `start` to before `end`.

    In the client's time zone, else the agent's; "24:00" is the end of a day.
    """

    days: Weekdays = WEEKDAYS
    start: ClockTime = "08:00"
    end: Annotated[ClockTime, Field(validate_default=True, examples=["20:00"])] = "20:00"

    @field_validator("end")
    @classmethod
    def _is_after_the_start(cls, end: str, info: ValidationInfo) -> str:
        if end <= info.data.get("start", ""):
            raise ValueError("has to be later than start, on the same day")
        return end

    def __str__(self) -> str:
        """Write the hours as settings do: `08:00-20:00`, `mon,wed 09:00-17:30`."""
        days = "" if set(self.days) == set(WEEKDAYS) else f"{','.join(self.days)} "
        return f"{days}{self.start}-{self.end}"

    @property
    def opens(self) -> int:
        """The minute of the day at which they begin."""
        return _minute(self.start)

    @property
    def closes(self) -> int:
        """The minute of the day before which they end."""
        return _minute(self.end)


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
