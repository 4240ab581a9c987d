"""`realtoros events export`: topics into a folder."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from chassis.kafka.topic_reader import TopicReader
from contracts.catalogue import COMMANDS
from contracts.message import rfc3339
from ops.errors import OperatorError
from ops.topics import archive
from ops.topics.archive import MANIFEST, ArchivedFile, ArchivedRecord, Manifest
from ops.topics.reader import handled, partitions, reader

# Is told how many records are done, of how many at most.
OnProgress = Callable[[int, int], None]
_BATCH = 500


async def export(
    bootstrap: str, prefix: str, names: Sequence[str], folder: Path, show: OnProgress
) -> Manifest:
    """Write what stands in the topics at this moment; the manifest comes last.

    One partition after another, so that no more than a few fetches are in memory. Raises
    OperatorError; what is in the folder then is no export, and another one may be written there.
    """
    try:
        archive.prepare(folder)
        found = await partitions(bootstrap, prefix, names)
        return await _export(bootstrap, prefix, found, folder, show)
    except OSError as error:
        raise OperatorError(f"{error.filename or folder}: {error.strerror or error}") from error


async def _export(
    bootstrap: str, prefix: str, found: list[TopicPartition], folder: Path, show: OnProgress
) -> Manifest:
    files: list[ArchivedFile] = []
    answered = await _answered(bootstrap, prefix, {place.topic for place in found})
    at, done = rfc3339(datetime.now(UTC)), 0
    async with reader(bootstrap) as consumer:
        starts, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
        total = sum(ends[place] - starts[place] for place in found)
        for place in found:
            if starts[place] == ends[place]:
                continue
            topic, count, settled = place.topic.removeprefix(prefix), 0, 0
            path = folder / archive.file_name(topic, place.partition)
            first, last = starts[place], starts[place] - 1
            with archive.whole(path) as file, archive.compressed(file) as lines:
                batches = TopicReader(consumer).batches(starts, {place: ends[place]}, _BATCH)
                async for records, _ in batches:
                    for record in records:
                        lines.write(_line(record))
                        count, last = count + 1, record.offset
                        settled += record.offset < answered.get(place, 0)
                        first = record.offset if count == 1 else first
                    done += len(records)
                    show(done, total)
            size, digest = archive.described(path)
            files.append(
                ArchivedFile(
                    file=path.name,
                    topic=topic,
                    partition=place.partition,
                    first_offset=first,
                    last_offset=last,
                    count=count,
                    bytes=size,
                    sha256=digest,
                    handled=settled,
                )
            )
    manifest = Manifest(prefix=prefix, exported_at=at, files=files)
    with archive.whole(folder / MANIFEST) as file:
        file.write(manifest.model_dump_json(indent=2).encode() + b"\n")
    return manifest


async def _answered(bootstrap: str, prefix: str, topics: set[str]) -> dict[TopicPartition, int]:
    """Give up to where the owners of the command topics have handled them."""
    owners = {topic.readers[0] for topic in COMMANDS if prefix + topic.name in topics}
    offsets: dict[TopicPartition, int] = {}
    for owner in owners:
        offsets |= await handled(bootstrap, prefix, owner)
    commands = {prefix + topic.name for topic in COMMANDS}
    return {place: offset for place, offset in offsets.items() if place.topic in commands}


def _line(record: Any) -> bytes:
    archived = ArchivedRecord(
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=record.key,
        headers=record.headers,
        value=record.value,
    )
    return archived.model_dump_json().encode() + b"\n"
