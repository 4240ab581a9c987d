"""The messages of sequences, of which agents choose one for a client; and the built-in ones."""

from uuid import UUID

from contracts.crm import PlannedSequence
from contracts.message import Command, Event, Message, Time
from contracts.steps import Step

NEW_LEAD = PlannedSequence(
    name="New lead",
    stages=("lead",),
    # Named as the types of follow-ups that they are, whose goals the writer knows.
    steps=(
        Step(name="Day 1", days=1, priority="high"),
        Step(name="Day 3", days=3),
        Step(name="Week 1", days=7),
        Step(name="Week 2", days=14, priority="low"),
        Step(name="Month 1", days=30, priority="low"),
    ),
)
WORKING_TOGETHER = PlannedSequence(
    name="Working together",
    stages=("negotiating", "under_contract"),
    steps=(
        Step(
            name="First week",
            days=7,
            priority="high",
            goal="Ask how they find the first week of working together, and what is unclear.",
        ),
        Step(
            name="Third week",
            days=21,
            goal="Offer to go through what comes next, and ask what they would like to know.",
        ),
        Step(
            name="Sixth week",
            days=42,
            goal="Ask whether their plans or dates have changed, and offer help with arrangements.",
        ),
        Step(
            name="Third month",
            days=90,
            priority="low",
            goal="Ask how things stand for them, and whether there is anything to take off them.",
        ),
    ),
)
PAST_CLIENT = PlannedSequence(
    name="Past client",
    stages=("closed",),
    steps=tuple(
        Step(
            name=f"Year {year}",
            years=year,
            priority="low",
            goal="Keep in touch with a past client, another year on: ask how they are and how the"
            " property serves them, and offer help. Nothing is for sale in this letter.",
        )
        for year in range(1, 6)
    ),
)
BUILT_IN = (NEW_LEAD, WORKING_TOGETHER, PAST_CLIENT)


class SequenceStream(Message):
    """Messages about the stream `sequence-<sequence_id>`: one of an agent's own sequences."""

    sequence_id: UUID

    @property
    def stream(self) -> str:
        return f"sequence-{self.sequence_id}"

    @property
    def key(self) -> UUID:
        return self.agent_id


class SequenceDefined(SequenceStream, Event, name="realtoros.SequenceDefined.v1"):
    """The whole sequence, defined for the first time or anew. Plans that run keep their steps."""

    sequence: PlannedSequence
    defined_at: Time


class SequenceRetired(SequenceStream, Event, name="realtoros.SequenceRetired.v1"):
    """The sequence is offered no more, and its name is free. Plans that run keep their steps."""

    retired_at: Time


SequenceEvent = SequenceDefined | SequenceRetired


class DefineSequence(SequenceStream, Command, name="realtoros.DefineSequence.v1"):
    """Define the whole sequence, under the id that the caller chose."""

    sequence: PlannedSequence


class RetireSequence(SequenceStream, Command, name="realtoros.RetireSequence.v1"):
    """Offer the sequence no more."""


def name_key(name: str) -> str:
    """Return what two names have in common that are the same to people."""
    return " ".join(name.casefold().split())
