"""Steps of a sequence of follow-ups: what each is called, when it falls due, what it is for."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.message import Contract

Priority = Literal["high", "medium", "low"]
MOST_STEPS = 20
_YEAR_DAYS = 365
SequenceName = Annotated[
    str, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=60)
]
Goal = Annotated[
    str, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=1000)
]


class Step(Contract):
    """One follow-up: it falls due `years` and then `days` after the sequence has begun.

    `goal`: what its letters are for. Names and goals are about all clients: nothing personal.
    """

    name: SequenceName
    days: int = Field(default=0, ge=0, le=3_650)
    years: int = Field(default=0, ge=0, le=10)
    priority: Priority = "medium"
    goal: Goal | None = None

    @property
    def order(self) -> int:
        """After about so many days."""
        return self.years * _YEAR_DAYS + self.days


Steps = Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]


def first_misplaced(steps: Sequence[Step]) -> int | None:
    """Return the number of the first step that is not after the one before it, from 0."""
    before = 0
    for number, step in enumerate(steps):
        if step.order <= before:
            return number
        before = step.order
    return None
