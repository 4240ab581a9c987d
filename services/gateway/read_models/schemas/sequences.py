"""Requests and responses about sequences, and about the plan of a client."""

from typing import get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.crm import PlannedSequence, Stage
from contracts.message import Time
from contracts.steps import MOST_STEPS, SequenceName, Step


class Sequence(PlannedSequence):
    """A sequence of follow-ups. A built-in one has no id, and is the same for all agents."""

    model_config = ConfigDict(title="SequenceView")

    sequence_id: UUID | None = None
    updated_at: Time | None = None


class NewStep(Step):
    """One follow-up of a sequence: it falls due `years` and then `days` after the beginning.

    Later than the one before it. `goal`: what its letter is to say.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewSequence(BaseModel):
    """A whole sequence: its name, the stages at which clients are offered it, its steps in order.

    A closed client can be given it only if `stages` has `closed`; lost ones get none.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: SequenceName
    stages: list[Stage] = Field(default=[], max_length=len(get_args(Stage)))
    steps: list[NewStep] = Field(min_length=1, max_length=MOST_STEPS)


class PlanStart(BaseModel):
    """Which sequence a client is given: without a name, the one that its stage suggests."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    sequence: SequenceName | None = None


class Plan(BaseModel):
    """A client's plan: the last sequence that was begun, and how many follow-ups are pending.

    `offered`: the sequence that the client's stage suggests, where it is another one.
    """

    model_config = ConfigDict(title="PlanView")

    sequence: str | None
    pending: int
    paused: bool
    offered: str | None
