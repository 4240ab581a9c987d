"""`realtoros events export`: topics into a folder."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition

from chassis.kafka.servers import KafkaServers
from chassis.kafka.topic_reader import TopicReader
from contracts.catalogue import COMMANDS
from contracts.message import rfc3339
from ops.errors import OperatorError
from ops.topics import archive
from ops.topics.archive import MANIFEST, ArchivedFile, ArchivedRecord, Manifest
from ops.topics.reader import committed_offsets, partitions, reader

# Called with the number of records done, and of how many at most.
OnProgress = Callable[[int, int], None]
_BATCH = 500


async def export(
    servers: KafkaServers, prefix: str, names: Sequence[str], folder: Path, show: OnProgress
) -> Manifest:
    """Write the records that are in the topics now; the manifest comes last.

    One partition after another, so that no more than a few fetches are in memory. Raises
    OperatorError; the folder is then no export, and can be exported to again.
    """
    try:
        archive.prepare_folder(folder)
        found = await partitions(servers, prefix, names)
        return await _export(servers, prefix, found, folder, show)
    except OSError as error:
        raise OperatorError(f"{error.filename or folder}: {error.strerror or error}") from error


async def _export(
    servers: KafkaServers, prefix: str, found: list[TopicPartition], folder: Path, show: OnProgress
) -> Manifest:
    files: list[ArchivedFile] = []
    committed = await _commands_committed(servers, prefix, {partition.topic for partition in found})
    exported_at, done = rfc3339(datetime.now(UTC)), 0
    async with reader(servers) as consumer:
        starts, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
        total = sum(ends[partition] - starts[partition] for partition in found)
        for partition in found:
            if starts[partition] == ends[partition]:
                continue
            topic, count, handled = partition.topic.removeprefix(prefix), 0, 0
            path = folder / archive.file_name(topic, partition.partition)
            first, last = starts[partition], starts[partition] - 1
            with archive.atomic_file(path) as file, archive.gzip_writer(file) as lines:
                batches = TopicReader(consumer).batches(
                    starts, {partition: ends[partition]}, _BATCH
                )
                async for records, _ in batches:
                    for record in records:
                        lines.write(_line(record))
                        count, last = count + 1, record.offset
                        handled += record.offset < committed.get(partition, 0)
                        first = record.offset if count == 1 else first
                    done += len(records)
                    show(done, total)
            size, digest = archive.size_and_sha256(path)
            files.append(
                ArchivedFile(
                    file=path.name,
                    topic=topic,
                    partition=partition.partition,
                    first_offset=first,
                    last_offset=last,
                    count=count,
                    bytes=size,
                    sha256=digest,
                    handled=handled,
                )
            )
    manifest = Manifest(prefix=prefix, exported_at=exported_at, files=files)
    with archive.atomic_file(folder / MANIFEST) as file:
        file.write(manifest.model_dump_json(indent=2).encode() + b"\n")
    return manifest


async def _commands_committed(
    servers: KafkaServers, prefix: str, topics: set[str]
) -> dict[TopicPartition, int]:
    """Return the offsets that the owners of command topics have committed."""
    owners = {topic.readers[0] for topic in COMMANDS if prefix + topic.name in topics}
    offsets: dict[TopicPartition, int] = {}
    for owner in owners:
        offsets |= await committed_offsets(servers, prefix, owner)
    commands = {prefix + topic.name for topic in COMMANDS}
    return {
        partition: offset for partition, offset in offsets.items() if partition.topic in commands
    }


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
