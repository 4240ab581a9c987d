"""How far a service is behind its topics, in records and in seconds."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from prometheus_client import Gauge

from chassis.observability.series import at_zero

RECORDS = Gauge(
    "realtoros_consumer_lag_records", "Records of the topic that are not handled.", ["topic"]
)
SECONDS = Gauge(
    "realtoros_consumer_lag_seconds", "Time for which the oldest of them has waited.", ["topic"]
)
# Of a partition that stays behind, the ends that are remembered.
ENDS = 100


class ConsumerLag:
    """Compares the ends of the assigned partitions with what is handled; one request a broker.

    The time is since the sample that first showed a record that is still unhandled: at a start, 0.
    """

    def __init__(
        self,
        topics: Sequence[str],
        prefix: str,
        consumer: Callable[[], Any],
        handled: Mapping[TopicPartition, int],
    ) -> None:
        self._topics = topics
        self._prefix = prefix
        self._consumer = consumer
        self._handled = handled
        self._ends: dict[TopicPartition, deque[tuple[int, float]]] = {}
        for gauge in (RECORDS, SECONDS):
            at_zero(gauge, (topic.removeprefix(prefix) for topic in topics))

    async def sample(self) -> None:
        """Set the series. Raises KafkaError."""
        consumer = self._consumer()
        if consumer is None or not (assigned := consumer.assignment()):
            return
        self.measure(await consumer.end_offsets(list(assigned)), time.monotonic())

    def measure(self, ends: Mapping[TopicPartition, int], now: float) -> None:
        """Set the series from where the partitions end now."""
        records = dict.fromkeys(self._topics, 0)
        seconds = dict.fromkeys(self._topics, 0.0)
        self._ends = {tp: known for tp, known in self._ends.items() if tp in ends}
        for partition, end in ends.items():
            handled = self._handled.get(partition, end)
            known = self._ends.setdefault(partition, deque())
            while known and known[0][0] <= handled:
                known.popleft()
            if end <= handled:
                continue
            if len(known) < ENDS and (not known or known[-1][0] < end):
                known.append((end, now))
            topic = partition.topic
            records[topic] += end - handled
            if known:
                seconds[topic] = max(seconds[topic], now - known[0][1])
        for topic in self._topics:
            name = topic.removeprefix(self._prefix)
            RECORDS.labels(name).set(records[topic])
            SECONDS.labels(name).set(seconds[topic])
