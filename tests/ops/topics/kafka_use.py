"""A service that logs what it does with Kafka: `-m tests.ops.topics.kafka_use SERVICE`.

An entry `kafka_use` has the operation, the kind of resource and its name, as an ACL has them.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from ops.local.supervised_process import end_with_supervisor

EVENT = "kafka_use"

Use = tuple[str, str, str]


def main() -> None:
    """Run the service, and log each use once."""
    [service] = sys.argv[1:]
    end_with_supervisor()
    seen: set[Use] = set()

    def log(*uses: Use) -> None:
        for operation, resource, name in set(uses) - seen:
            entry = {"event": EVENT, "level": "info", "use": [operation, resource, name]}
            os.write(1, json.dumps(entry).encode() + b"\n")
        seen.update(uses)

    _before(AIOKafkaProducer, "send", lambda topic, *_, **__: log(("Write", "topic", topic)))

    def read(topics: Iterable[str]) -> None:
        log(*(("Read", "topic", topic) for topic in topics))

    def started(*topics: str, group_id: str | None = None, **_: Any) -> None:
        read(topics)
        if group_id:
            log(("Read", "group", group_id))

    _before(AIOKafkaConsumer, "__init__", started)
    _before(AIOKafkaConsumer, "subscribe", lambda topics=(), **_: read(topics))
    _before(AIOKafkaConsumer, "assign", lambda partitions: read(p.topic for p in partitions))
    importlib.import_module(f"services.{service}.main").main()


def _before(owner: Any, name: str, call: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        return original(self, *args, **kwargs)

    setattr(owner, name, called)


def uses_in(log: Path) -> set[Use]:
    """Return what the log of a service names."""
    uses: set[Use] = set()
    for line in log.read_text().splitlines():
        if EVENT in line:
            operation, resource, name = json.loads(line)["use"]
            uses.add((operation, resource, name))
    return uses


if __name__ == "__main__":
    main()
