"""How a life's messages may come to a service: in any order that Kafka allows, and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

from chassis.inbox.reactor import Reaction
from contracts.catalogue import read_by, topic_of
from contracts.message import Command, Message
from tests.faults.ordering.client_histories import Life, Told

MOST_REWINDS = 2
MOST_CUTS = 6
END = -1


@dataclass(frozen=True, slots=True)
class Input:
    """A message as a service takes it in: from a record, or appended by its own worker.

    Of a `lane` the order is kept always. `decides`: the streams that may be appended to.
    """

    told: Told
    by_worker: bool
    lane: str
    decides: frozenset[str]

    def waits_for(self, earlier: "Input") -> bool:
        """Tell whether this one may not come before the other has come once.

        A person and a worker act on what has been decided of the aggregate so far: with other
        decisions before, it is another history. (A person waits for the answer to a command.)
        """
        acts = any(i.by_worker or isinstance(i.told.message, Command) for i in (self, earlier))
        return self.lane == earlier.lane or (acts and bool(self.decides & earlier.decides))


def inputs_of(
    life: Life,
    service: str,
    reactions: Mapping[type[Message], Sequence[Reaction]],
    kinds: frozenset[str],
) -> list[Input]:
    """Give what the service takes in of the life, in the canonical order.

    `kinds` of streams are its own, `reactions` what it decides on.
    """
    inputs = []
    for told in life.told:
        stream, topic = told.envelope.subject, topic_of(type(told.message))
        if told.by_worker and stream.partition("-")[0] in kinds:
            inputs.append(Input(told, True, f"work on {stream}", frozenset({stream})))
        if topic in read_by(service):
            lane = topic if isinstance(told.message, Command) else f"{topic} {stream}"
            met = reactions.get(type(told.message), ())
            decides = frozenset(f"{r.aggregate.name}-{r.of(told.message)}" for r in met)
            inputs.append(Input(told, False, lane, decides))
    return inputs


@st.composite
def deliveries(draw: st.DrawFn, inputs: Sequence[Input]) -> list[list[int]]:
    """Give the numbers of the inputs in an order in which they may come, cut into batches.

    A reader of a lane may go back to any place in it, or all of them to the beginning, and read on
    from there, as after a lost commit of offsets or a reset.
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
    came: set[int] = set()
    places = st.integers(1, len(inputs))
    # At some places, and once more when all have come.
    again = [*sorted(draw(st.lists(places, max_size=MOST_REWINDS))), END]
    while ready := [
        lane
        for lane, numbers in lanes.items()
        if at[lane] < len(numbers) and waits[numbers[at[lane]]] <= came
    ]:
        lane = draw(st.sampled_from(ready))
        number = lanes[lane][at[lane]]
        at[lane] += 1
        came.add(number)
        order.append(number)
        if again and (len(order) == again[0] or len(came) == len(inputs)):
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
