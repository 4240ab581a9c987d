"""`realtoros events import`: an export into empty topics."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import client as kafka
from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import kafka_start_errors
from contracts.catalogue import COMMANDS, EVENTS
from ops.errors import OperatorError
from ops.servers import stores
from ops.topics import archive
from ops.topics.archive import ArchivedFile, ArchivedRecord, Manifest
from ops.topics.export import OnProgress
from ops.topics.reader import CLIENT, partitions, reader, select_topics

# Brokers learn of new topics from their controller, with a delay.
_CREATION_SECONDS = 30


async def import_(servers: KafkaServers, prefix: str, folder: Path, show: OnProgress) -> Manifest:
    """Write every record of an export to the partition it came from, in its order.

    Every file is verified before anything is written, and the topics have to be empty. Raises
    OperatorError; where that is after the first record, it says which topics to delete.
    """
    try:
        manifest = archive.read_manifest(folder)
        for file in manifest.files:
            archive.verify(folder, file)
    except OSError as error:
        raise OperatorError(f"{error.filename or folder}: {error.strerror or error}") from error
    names = select_topics([file.topic for file in manifest.files], (*EVENTS, *COMMANDS))
    await stores.apply_topics(servers, prefix)
    starts = await _start_offsets(servers, prefix, names)
    targets = {
        file.file: TopicPartition(prefix + file.topic, file.partition) for file in manifest.files
    }
    if unknown := [name for name, target in targets.items() if target not in starts]:
        raise OperatorError(
            f"the topics have no partition for {', '.join(unknown)}: recreate them with"
            " `realtoros topics apply`"
        )
    done = 0
    with kafka_start_errors(servers):
        async with kafka.producer(servers, CLIENT) as producer:
            try:
                for file in manifest.files:
                    target = targets[file.file]
                    async for count in _write_file(producer, target, starts[target], folder, file):
                        done += count
                        show(done, manifest.count)
                await _commit_offsets(servers, prefix, manifest, targets, starts)
            except (KafkaError, OperatorError, OSError) as error:
                raise OperatorError(
                    f"{error}; the import is incomplete and cannot continue: delete the topics"
                    f" {', '.join(prefix + name for name in names)} and import again"
                ) from error
    return manifest


async def _commit_offsets(
    servers: KafkaServers,
    prefix: str,
    manifest: Manifest,
    targets: dict[str, TopicPartition],
    starts: dict[TopicPartition, int],
) -> None:
    """Commit the owners' offsets past the commands that they had handled.

    Accepted ones are in the events; rejected ones must not be tried again.
    """
    for topic in COMMANDS:
        offsets = {
            (target := targets[file.file]): starts[target] + file.handled
            for file in manifest.files
            if file.topic == topic.name and file.handled
        }
        if not offsets:
            continue
        consumer = servers.consumer(
            group_id=f"{prefix}{topic.readers[0]}",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()


async def _start_offsets(
    servers: KafkaServers, prefix: str, names: list[str]
) -> dict[TopicPartition, int]:
    """Return each partition's next offset. Raises OperatorError if one is not empty."""
    found = await partitions(servers, prefix, names, within=_CREATION_SECONDS)
    async with reader(servers) as consumer:
        begins, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
    if filled := {target.topic: None for target in found if begins[target] != ends[target]}:
        raise OperatorError(
            f"there are records in {', '.join(filled)}: stop the services, delete the topics and"
            " import again"
        )
    return dict(ends)


async def _write_file(
    producer: AIOKafkaProducer, target: TopicPartition, start: int, folder: Path, file: ArchivedFile
) -> AsyncIterator[int]:
    """Write a file; yield how many records were acknowledged, batch by batch.

    A batch is sent only once the broker has acknowledged the one before: so they stay in order
    without the producer's idempotence. A batch whose acknowledgement was lost is sent again and
    stored twice: the offset shows it.
    """
    offset = start
    for batch in _batches(producer, archive.records(folder, file)):
        where = f"{folder / file.file}, from line {offset - start + 1}"
        try:
            sent = await (
                await producer.send_batch(batch, target.topic, partition=target.partition)
            )
        except KafkaError as error:
            raise OperatorError(f"{where}: {error}") from error
        if sent.offset != offset:
            raise OperatorError(
                f"{where}: written at offset {sent.offset} of {target.topic}/{target.partition}"
                f" instead of {offset}: a batch was stored twice, or another process writes there"
            )
        offset += batch.record_count()
        yield batch.record_count()


def _batches(producer: AIOKafkaProducer, records: Iterable[ArchivedRecord]) -> Iterator[Any]:
    batch = producer.create_batch()
    for record in records:
        if not _append(batch, record):
            yield batch
            batch = producer.create_batch()
            _append(batch, record)
    if batch.record_count():
        yield batch


def _append(batch: Any, record: ArchivedRecord) -> bool:
    """Add the record and return True if there is room; an empty batch takes any size."""
    metadata = batch.append(
        timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers
    )
    return metadata is not None
