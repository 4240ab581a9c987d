"""How a history's messages may be delivered: in any order that Kafka allows, with repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

from chassis.inbox.reactor import Reaction
from contracts.catalogue import read_by, topic_of
from contracts.message import Command, Message
from tests.faults.ordering.agent_history import AgentHistory
from tests.faults.ordering.message_history import RecordedMessage

MOST_REWINDS = 2
MOST_CUTS = 6
END = -1


@dataclass(frozen=True, slots=True)
class Input:
    """A message as a service receives it: in a record, or appended by its own worker.

    The order within a `lane` never changes. `decides`: the streams that may be appended to.
    """

    recorded: RecordedMessage
    by_worker: bool
    lane: str
    decides: frozenset[str]

    def waits_for(self, earlier: "Input") -> bool:
        """Return whether this one may come only after the other has come once.

        People and workers act on the earlier decisions about the aggregate: after other decisions
        it would be another history. (A person waits for the reply to a command.)
        """
        acts = any(i.by_worker or isinstance(i.recorded.message, Command) for i in (self, earlier))
        return self.lane == earlier.lane or (acts and bool(self.decides & earlier.decides))


def inputs_of(
    history: AgentHistory,
    service: str,
    reactions: Mapping[type[Message], Sequence[Reaction]],
    kinds: frozenset[str],
) -> list[Input]:
    """Return what the service receives of the history, in the canonical order.

    `kinds` are those of its own streams, `reactions` what it reacts to.
    """
    inputs = []
    for recorded in history.messages:
        stream, topic = recorded.envelope.subject, topic_of(type(recorded.message))
        if recorded.by_worker and stream.partition("-")[0] in kinds:
            inputs.append(Input(recorded, True, f"work on {stream}", frozenset({stream})))
        if topic in read_by(service):
            lane = topic if isinstance(recorded.message, Command) else f"{topic} {stream}"
            met = reactions.get(type(recorded.message), ())
            decides = frozenset(f"{r.aggregate.name}-{r.of(recorded.message)}" for r in met)
            inputs.append(Input(recorded, False, lane, decides))
    return inputs


@st.composite
def deliveries(draw: st.DrawFn, inputs: Sequence[Input]) -> list[list[int]]:
    """Draw a possible order of delivery: the inputs' numbers, cut into batches.

    The reader of a lane may seek back to any position, or all readers to the beginning, as after
    a lost commit of offsets or a reset.
    """
    lanes: dict[str, list[int]] = {}
    for number, one in enumerate(inputs):
        lanes.setdefault(one.lane, []).append(number)
    waits = [
        {early for early in range(late) if inputs[late].waits_for(inputs[early])}
        for late in range(len(inputs))
    ]
    at = dict.fromkeys(lanes, 0)
    order: list[int] = []
    delivered: set[int] = set()
    positions = st.integers(1, len(inputs))
    # At some positions, and once more when all are delivered.
    again = [*sorted(draw(st.lists(positions, max_size=MOST_REWINDS))), END]
    while ready := [
        lane
        for lane, numbers in lanes.items()
        if at[lane] < len(numbers) and waits[numbers[at[lane]]] <= delivered
    ]:
        lane = draw(st.sampled_from(ready))
        number = lanes[lane][at[lane]]
        at[lane] += 1
        delivered.add(number)
        order.append(number)
        if again and (len(order) == again[0] or len(delivered) == len(inputs)):
            again.pop(0)
            _rewind(draw, inputs, lanes, at)
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(order) - 1)), max_size=MOST_CUTS)))
    return [order[start:end] for start, end in pairwise([0, *cuts, len(order)])]


def _rewind(
    draw: st.DrawFn, inputs: Sequence[Input], lanes: Mapping[str, list[int]], at: dict[str, int]
) -> None:
    read = [lane for lane in lanes if at[lane] and not inputs[lanes[lane][0]].by_worker]
    if not read:
        return
    if draw(st.booleans()):
        at.update(dict.fromkeys(read, 0))
    else:
        lane = draw(st.sampled_from(read))
        at[lane] = draw(st.integers(0, at[lane] - 1))
