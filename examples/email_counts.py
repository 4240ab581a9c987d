"""Count the emails that were sent, opened and failed, per agent: email_counts.py [TOPIC]."""  # noqa: INP001

import asyncio
import os
import sys
from collections import defaultdict
from itertools import chain
from typing import Any

from aiokafka import AIOKafkaConsumer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event


def count(kind: str, email: str, emails: dict[str, set[str]]) -> None:
    """Note what became of an email. Sets, since an email is opened, and may fail, many times."""
    match kind:
        case "realtoros.EmailQueued.v1":  # again, after it failed: it is sent once more
            emails["failed"].discard(email)
        case "realtoros.EmailSent.v1":
            emails["sent"].add(email)
            emails["failed"].discard(email)
        case "realtoros.EmailOpened.v1":
            emails["opened"].add(email)
        case "realtoros.EmailFailed.v1":
            emails["failed"].add(email)


async def main(topic: str = "realtoros.emails") -> None:
    """Read what stands in the topic now, from its beginning, and print a line per agent."""
    agents: Any = defaultdict(lambda: {"sent": set(), "opened": set(), "failed": set()})
    latest: dict[Any, int] = defaultdict(int)
    server = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=server, auto_offset_reset="earliest"
    ) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < ends[partition] for partition in ends]):
            batches = await consumer.getmany(timeout_ms=1000)
            for record in chain(*batches.values()):
                message = KafkaMessage(dict(record.headers), record.key, record.value)
                event: Any = from_binary_event(message)
                if event.get_source() != "/realtoros/mailer":  # the topic's one writer
                    continue
                stream, version = event.get_subject(), int(event.get_extension("streamversion"))
                if version > latest[stream]:  # else it is a repeat
                    latest[stream] = version
                    data = event.get_data()
                    count(event.get_type(), data.get("email_id"), agents[data["agent_id"]])
    for agent, emails in sorted(agents.items()):
        numbers = " ".join(f"{what}={len(which)}" for what, which in emails.items())
        sys.stdout.write(f"{agent} {numbers}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
