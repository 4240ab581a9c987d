"""`realtoros events import`: an export into empty topics."""

from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import client as kafka
from contracts.catalogue import COMMANDS, EVENTS
from ops.errors import OperatorError
from ops.servers import stores
from ops.topics import archive
from ops.topics.archive import ArchivedFile, ArchivedRecord, Manifest
from ops.topics.export import OnProgress
from ops.topics.reader import CLIENT, chosen, kafka_errors_told, partitions, reader

# Brokers learn from their controller of topics that have just been created.
_CREATION_SECONDS = 30


async def import_(bootstrap: str, prefix: str, folder: Path, show: OnProgress) -> Manifest:
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
    names = chosen([file.topic for file in manifest.files], (*EVENTS, *COMMANDS))
    await stores.apply_topics(bootstrap, prefix)
    starts = await _starts(bootstrap, prefix, names)
    places = {
        file.file: TopicPartition(prefix + file.topic, file.partition) for file in manifest.files
    }
    if unknown := [name for name, place in places.items() if place not in starts]:
        raise OperatorError(f"the topics have no partition for {', '.join(unknown)}")
    done = 0
    with kafka_errors_told(bootstrap):
        async with kafka.producer(bootstrap, CLIENT) as producer:
            try:
                for file in manifest.files:
                    place = places[file.file]
                    async for count in _written(producer, place, starts[place], folder, file):
                        done += count
                        show(done, manifest.count)
                await _commit_handled(bootstrap, prefix, manifest, places, starts)
            except (KafkaError, OperatorError, OSError) as error:
                raise OperatorError(
                    f"{error}; the import is not whole, and it cannot go on from there: delete the"
                    f" topics {', '.join(prefix + name for name in names)} and begin again"
                ) from error
    return manifest


async def _commit_handled(
    bootstrap: str,
    prefix: str,
    manifest: Manifest,
    places: dict[str, TopicPartition],
    starts: dict[TopicPartition, int],
) -> None:
    """Let the owners go on after the commands that they had handled: a refusal must not be undone.

    What they had accepted stands in the events.
    """
    for topic in COMMANDS:
        offsets = {
            (place := places[file.file]): starts[place] + file.handled
            for file in manifest.files
            if file.topic == topic.name and file.handled
        }
        if not offsets:
            continue
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=f"{prefix}{topic.readers[0]}",
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()


async def _starts(bootstrap: str, prefix: str, names: list[str]) -> dict[TopicPartition, int]:
    """Give where each partition's next record goes. Raises OperatorError if one is not empty."""
    found = await partitions(bootstrap, prefix, names, within=_CREATION_SECONDS)
    async with reader(bootstrap) as consumer:
        begins, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
    if filled := {place.topic: None for place in found if begins[place] != ends[place]}:
        raise OperatorError(
            f"there are records already in {', '.join(filled)}: import into empty topics only"
            " (stop the services, delete the topics and begin again)"
        )
    return dict(ends)


async def _written(
    producer: AIOKafkaProducer, place: TopicPartition, start: int, folder: Path, file: ArchivedFile
) -> AsyncIterator[int]:
    """Write a file; yield how many records were acknowledged, batch by batch.

    Batches are sent one at a time, the next one only when the broker has acknowledged the last:
    so they are in order, without the producer's idempotence. A batch that was written but whose
    acknowledgement was lost is sent again, and then stands there twice: the offset tells.
    """
    offset = start
    for batch in _batches(producer, archive.records(folder, file)):
        where = f"{folder / file.file}, from line {offset - start + 1}"
        try:
            sent = await (await producer.send_batch(batch, place.topic, partition=place.partition))
        except KafkaError as error:
            raise OperatorError(f"{where}: {error}") from error
        if sent.offset != offset:
            raise OperatorError(
                f"{where}: stands at offset {sent.offset} of {place.topic}/{place.partition}"
                f" instead of {offset}: a batch came twice, or something else writes there"
            )
        offset += batch.record_count()
        yield batch.record_count()


def _batches(producer: AIOKafkaProducer, records: Iterable[ArchivedRecord]) -> Iterator[Any]:
    batch = producer.create_batch()
    for record in records:
        if not _added(batch, record):
            yield batch
            batch = producer.create_batch()
            _added(batch, record)
    if batch.record_count():
        yield batch


def _added(batch: Any, record: ArchivedRecord) -> bool:
    """Add the record if there is room; an empty batch has room for one of any size."""
    added = batch.append(
        timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers
    )
    return added is not None
