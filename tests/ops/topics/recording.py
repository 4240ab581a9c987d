"""`python -m tests.ops.topics.recording 0.2.0`: record the history of a release, once and for all.

The story is lived through by the real services, on the servers that tests run on. What stands in
the event topics then is exported, and beside it the digests of what replay makes of it.

`--digests` writes only those anew, of all releases: for a change that is meant to make something
else of what was told. What was told never changes.
"""

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from chassis.kafka import client as chassis_kafka
from chassis.mongo.client import database_name
from contracts import cloudevents
from contracts.catalogue import EVENTS, PARTITIONS
from contracts.services import SERVICES
from ops.servers.stores import store_of
from ops.topics.export import export
from ops.topics.rebuild import Rebuild
from ops.topics.restore import import_
from tests import servers
from tests.chassis.raw_records import all_of
from tests.journeys.agent_user import until
from tests.journeys.conftest import Providers
from tests.journeys.faulty_provider_system import faulty_provider_system
from tests.ops.topics.release_story import SETTINGS, SOME_DAY, Story
from tests.providers.running import provider
from tests.servers import Server
from tests.system import drop_databases, topic_prefix

HISTORIES = Path(__file__).parents[2] / "contracts" / "histories"
DIGESTS = "digests.json"
NAMES = [topic.name for topic in EVENTS]
# By service and collection: how many documents, and SHA-256 over them.
Digests = dict[str, dict[str, dict[str, Any]]]


def no_bar(done: int, total: int) -> None:
    """Show no progress."""
    assert done <= total


async def digests(kafka: Server, mongodb: Server, prefix: str) -> Digests:
    """Replay every service, and give what its collections hold then."""
    found: Digests = {}
    for service in SERVICES:
        rebuild = Rebuild(service, kafka.servers, prefix, mongodb.address)
        found[service] = {}
        for line in await rebuild.replay(None, no_bar):
            match = re.fullmatch(r"\w+\.replay\.(\w+)  (\d+) documents  (\w+)", line)
            assert match, line
            found[service][match[1]] = {"count": int(match[2]), "sha256": match[3]}
    return found


async def different(kafka: Server, mongodb: Server, prefix: str) -> list[str]:
    """Return the collections in which a verification finds a difference."""
    found = []
    for service in SERVICES:
        rebuild = Rebuild(service, kafka.servers, prefix, mongodb.address)
        compared = await rebuild.verify(no_bar)
        assert compared
        found += [f"{service} {one}" for one in compared if one.live != one.replayed]
    return found


async def ends(kafka: Server, prefix: str) -> dict[TopicPartition, int]:
    """Return the end offsets of the event topics."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.address)
    await consumer.start()
    try:
        partitions = [
            TopicPartition(prefix + n, number) for n in NAMES for number in range(PARTITIONS)
        ]
        return dict(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


async def caught_up(kafka: Server, prefix: str) -> bool:
    """Return whether every service has handled all records of the event topics that it reads."""
    last = await ends(kafka, prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    try:
        for service in SERVICES:
            read = {prefix + topic.name for topic in EVENTS if service in topic.readers}
            group = await admin.list_consumer_group_offsets(f"{prefix}{service}")
            for partition, end in last.items():
                if (
                    partition.topic in read
                    and end
                    and (partition not in group or group[partition].offset < end)
                ):
                    return False
    finally:
        await admin.close()
    return True


async def _nothing_is_due(mongodb: Server) -> bool:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb.address)
    async with client:
        for service in SERVICES:
            for aggregate in store_of(service).aggregates:
                states = client[database_name(service)][aggregate.collection]
                if await states.find_one({"state.due_at": {"$lt": SOME_DAY}}):
                    return False
    return True


async def record(release: str, kafka: Server, mongodb: Server, folder: Path) -> str:
    """Let the story happen on empty servers and write the release's folder; describe it.

    Raises AssertionError when the story leaves out a type of event, or replay is not like live.
    """
    await drop_databases(mongodb)
    async with topic_prefix(kafka) as prefix:
        await _live(kafka, mongodb, prefix, folder)
        assert not (wrong := await different(kafka, mongodb, prefix)), wrong
        types = set()
        for name in NAMES:
            for one in await all_of(kafka.address, prefix + name):
                types.add(cloudevents.read(one.headers).type)
        missing = {type_.wire_name for topic in EVENTS for type_ in topic.types} - types
        assert not missing, f"the story has no {', '.join(sorted(missing))}"
        whole = folder / "history"
        manifest = await export(kafka.servers, prefix, NAMES, whole, no_bar)
        found = await digests(kafka, mongodb, prefix)
    _write(whole, found)
    for file in whole.iterdir():
        file.chmod(0o644)
    whole.chmod(0o755)
    shutil.move(whole, HISTORIES / release)
    size = sum(file.stat().st_size for file in (HISTORIES / release).iterdir())
    return f"{HISTORIES / release}: {manifest.count} events, {size} bytes"


async def digest_again(kafka: Server, mongodb: Server) -> None:
    """Write the digests of every recorded history as this code finds them."""
    for history in sorted(HISTORIES.iterdir()):
        await drop_databases(mongodb)
        async with topic_prefix(kafka) as prefix:
            await import_(kafka.servers, prefix, history, no_bar)
            _write(history, await digests(kafka, mongodb, prefix))


def _write(history: Path, found: Digests) -> None:
    (history / DIGESTS).write_text(json.dumps(found, indent=2) + "\n")


async def _live(kafka: Server, mongodb: Server, prefix: str, folder: Path) -> None:
    async with (
        _providers(folder) as providers,
        # Another name at first: the story changes it.
        faulty_provider_system(
            folder, kafka, mongodb, prefix, providers, **SETTINGS | {"AGENT_NAME": "R. V."}
        ) as system,
        chassis_kafka.producer(kafka.servers, "story") as producer,
    ):
        await Story(system, producer, prefix).tell()
        await _until_quiet(lambda: _nothing_is_due(mongodb), lambda: caught_up(kafka, prefix))


async def _until_quiet(*conditions: Callable[[], Any]) -> None:
    async def quiet() -> bool:
        return all([await condition() for condition in conditions])

    await until(quiet, "all is said and done")


@asynccontextmanager
async def _providers(folder: Path) -> AsyncIterator[Providers]:
    async with provider("openai", folder) as openai, provider("sendgrid", folder) as sendgrid:
        yield Providers(openai, sendgrid)


async def main(release: str) -> None:
    """Record. Exits when the release has its history already: what was released stays."""
    if release == "--digests":
        async with servers.kafka() as kafka, servers.mongodb() as mongodb:
            await digest_again(kafka, mongodb)
        return
    if not re.fullmatch(r"\d+\.\d+\.\d+", release):
        sys.exit(f"{release} is no release: give one such as 0.2.0")
    if (HISTORIES / release).exists():
        sys.exit(f"{HISTORIES / release} is there already: a recorded history never changes")
    with tempfile.TemporaryDirectory(prefix="realtoros-") as folder:
        async with servers.kafka() as kafka, servers.mongodb() as mongodb:
            print(await record(release, kafka, mongodb, Path(folder)))  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m tests.ops.topics.recording RELEASE|--digests")
    asyncio.run(main(sys.argv[1]))
