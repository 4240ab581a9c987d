"""The floor of a replay: the same topics through aiokafka, JSON and `bulk_write`, no more.

It checks and folds nothing, and has no transactions and no checkpoints. `python -m
tests.bench.bare_replay SERVICE` prints how many records it read.
"""

import asyncio
import json
import os
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import InsertOne, ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase

from chassis.mongo.client import Raw, connect
from chassis.projections.views import Views
from chassis.recovery.replay import BATCH_RECORDS
from chassis.recovery.restore import own_topics
from contracts.catalogue import PARTITIONS
from contracts.services import SERVICES
from ops.servers.stores import store_of

DATABASE = "bench_bare_replay"
_COMMITS, _STATES, _VIEWS, _POSITIONS = "commits", "states", "views", "positions"
_LINES = "lines"


class Written:
    """The documents of one batch: commits for the service's own events, views for the others.

    And a journal entry for each event of the types in `lines`.
    """

    def __init__(self, own: set[str], lines: set[str]) -> None:
        self._own = own
        self._lines = lines
        self.writes: dict[str, list[Any]] = {_COMMITS: [], _LINES: []}
        self._latest: dict[str, dict[str, Raw]] = {_STATES: {}, _VIEWS: {}, _POSITIONS: {}}

    def add(self, record: Any) -> None:
        """Decode a record and add its documents."""
        headers = {name: value.decode() for name, value in record.headers}
        data = json.loads(record.value)
        stream, version = headers["ce_subject"], int(headers["ce_streamversion"])
        if record.topic in self._own:
            self.writes[_COMMITS].append(InsertOne(_commit(record, headers, stream, version)))
            state = self._latest[_STATES].setdefault(stream, {"_id": stream})
            state["version"] = version
            state.setdefault("state", {}).update(data)
            return
        if headers["ce_type"] in self._lines:
            self.writes[_LINES].append(InsertOne(_line(headers, stream, version, data)))
        view = self._latest[_VIEWS].setdefault(stream, {"_id": stream})
        view.update(data)
        self._latest[_POSITIONS][stream] = {"_id": stream, "version": version}

    async def store(self, database: AsyncDatabase[Raw]) -> None:
        """Write the batch."""
        for name, documents in self._latest.items():
            self.writes[name] = [
                ReplaceOne({"_id": stream}, document, upsert=True)
                for stream, document in documents.items()
            ]
        for name, writes in self.writes.items():
            if writes:
                await database[name].bulk_write(writes, ordered=False)


def _commit(record: Any, headers: dict[str, str], stream: str, version: int) -> Raw:
    """Return a document of the collection `commits` with one event."""
    return {
        "_id": f"{stream}@{version:09}",
        "stream": stream,
        "first": version,
        "last": version,
        "cause": UUID(headers["ce_causationid"]),
        "correlation": UUID(headers["ce_correlationid"]),
        "at": headers["ce_time"],
        "key": record.key,
        "topic": record.topic,
        "events": [
            {
                "id": UUID(headers["ce_id"]),
                "type": headers["ce_type"],
                "data": record.value.decode(),
            }
        ],
        "published": {"partition": record.partition, "offset": record.offset},
    }


def _line(headers: dict[str, str], stream: str, version: int, data: Raw) -> Raw:
    """Return the document of a journal."""
    return {
        "_id": UUID(headers["ce_id"]),
        "agent_id": UUID(data["agent_id"]),
        "client_id": UUID(data["client_id"]),
        "type": headers["ce_type"],
        "stream": stream,
        "version": version,
        "at": datetime.fromisoformat(headers["ce_time"]),
        "data": {name: value for name, value in data.items() if name != "personal"},
    }


async def main(service: str) -> None:
    """Read what the service's replay reads, and write as many documents."""
    prefix = os.environ["KAFKA_TOPIC_PREFIX"]
    store = store_of(next(name for name in SERVICES if name == service))
    own = set(own_topics(service, prefix)) if store.aggregates else set()
    async with connect(os.environ["MONGODB_URI"]) as client:
        await client.drop_database(DATABASE)
        database = client[DATABASE]
        foreign = {
            prefix + topic.name for topic in Views(database, store.views, store.journals).topics
        }
        lines = {type_.wire_name for journal in store.journals for type_ in journal.types}
        partitions = [
            TopicPartition(t, number) for t in own | foreign for number in range(PARTITIONS)
        ]
        # The log's index, not unique here: a commit of several events is several documents.
        await database[_COMMITS].create_index([("cause", 1), ("stream", 1)])
        async with AIOKafkaConsumer(
            bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"], auto_offset_reset="earliest"
        ) as consumer:
            consumer.assign(partitions)
            total = sum((await consumer.end_offsets(partitions)).values())
            done = 0
            while done < total:
                found = await consumer.getmany(timeout_ms=200, max_records=BATCH_RECORDS)
                batch = Written(own, lines)
                for records in found.values():
                    done += len(records)
                    for record in records:
                        batch.add(record)
                await batch.store(database)
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
