"""Golden files: how each sample is written on Kafka. `python -m tests.contracts.golden_files`.

Missing ones are written. One that a sample has outgrown, by a field that its type has gained, moves
to `earlier/`, where a test reads it forever.
"""

import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from contracts import cloudevents
from contracts.catalogue import TOPICS
from contracts.cloudevents import Envelope
from contracts.message import Command, Event, Message
from tests.contracts.samples import NOON, SAMPLES

GOLDEN: Final = Path(__file__).parent / "golden"
EARLIER: Final = GOLDEN / "earlier"
ADVICE: Final = "run `make describe`, and look at what it changes"
_CORRELATION: Final = UUID("16fd2706-8baf-433b-82eb-8c7fada847da")
_IDENTITY: Final = UUID("a8098c1a-f86e-11da-bd1a-00112444be1e")
_CAUSE: Final = UUID("c9bf9e57-1685-4c89-bafb-ff5af830be8a")


def golden(name: str) -> dict[str, Any]:
    """Return headers and value of a type's golden file; empty without one."""
    file = GOLDEN / f"{name}.json"
    read: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return read


def written(sample: Message) -> dict[str, Any]:
    """Return headers and value of the record as it is written today."""
    headers = cloudevents.write(envelope_of(sample))
    text: Any = sample
    return {
        "headers": {key: value.decode() for key, value in headers},
        "value": json.loads(text.to_json()),
    }


def envelope_of(message: Message) -> Envelope:
    """Return the envelope that every sample is written in."""
    topic = next(t for t in TOPICS if type(message) in t.types)
    return cloudevents.about(
        message,
        id=_IDENTITY,
        source=topic.writer if topic.name != "replies" else "crm",
        time=NOON,
        correlation=_CORRELATION,
        cause=None if isinstance(message, Command) else _CAUSE,
        version=7 if isinstance(message, Event) else None,
    )


def main() -> None:
    """Write what is missing or has grown."""
    for sample in SAMPLES:
        name, now = sample.wire_name, written(sample)
        if (before := golden(name)) == now:
            continue
        if before:
            number = 1 + len(list(EARLIER.glob(f"{name}.*.json")))
            (GOLDEN / f"{name}.json").rename(EARLIER / f"{name}.{number}.json")
        (GOLDEN / f"{name}.json").write_text(json.dumps(now, indent=2, ensure_ascii=False) + "\n")
        print(f"golden: {name}")  # noqa: T201


if __name__ == "__main__":
    main()
