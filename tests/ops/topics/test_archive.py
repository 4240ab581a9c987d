"""`realtoros events export` and `import`: the same records, byte by byte, or a clear refusal."""

import asyncio
import gzip
import json
import stat
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner

from chassis.kafka import client as chassis_kafka
from contracts.catalogue import COMMANDS, EVENTS
from ops.cli.main import app
from ops.errors import OperatorError
from ops.topics.archive import MANIFEST, size_and_sha256
from ops.topics.export import export
from ops.topics.reader import committed_offsets
from ops.topics.restore import import_
from tests.chassis.raw_records import all_of
from tests.servers import Server
from tests.system import new_prefix, topic_prefix

NAMES = [topic.name for topic in (*EVENTS, *COMMANDS)]
# Kafka soon deletes commands that are older than a week.
BEGIN = int(time.time() * 1000) - 3_600_000
TRICKY: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
    (b"k", b'{"a": "Mar\xc3\xada \xe2\x80\xa8\\n\xf0\x9f\x8f\xa0"}', [("ce_type", b"x")]),
    (b"k", None, [("null", None), ("empty", b""), ("raw", b"\xff\xfe"), ("null", b"again")]),
    (None, b"\xff\x00\x80", []),
    (b"\xc3", b"", [("n\xc3\xa4me", b"\xed\xa0\x80")]),
    (b"", b'line\nline\r\n\0"\\ {"base64": "AAAA"}', []),
    (b"k", b"x" * 900_000, []),
]


def nothing(done: int, total: int) -> None:
    assert done <= total


@pytest.fixture
async def producer(kafka: Server, prefix: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer, when the topics are there."""
    await chassis_kafka.apply_topics(kafka.servers, prefix)
    async with chassis_kafka.producer(kafka.servers, "test") as producer:
        yield producer


async def put(producer: AIOKafkaProducer, topic: str, partition: int, rows: Any) -> None:
    # Timestamps go backwards once in a while, as those of several writers do.
    for number, (key, value, headers) in enumerate(rows):
        await producer.send(
            topic,
            key=key,
            value=value,
            headers=headers,
            partition=partition,
            timestamp_ms=BEGIN + number - 5 * (number % 3),
        )
    await producer.flush()


@pytest.fixture
async def exported(kafka: Server, prefix: str, producer: AIOKafkaProducer, tmp_path: Path) -> Path:
    """An export of three partitions of two topics."""
    await put(producer, f"{prefix}clients", 3, TRICKY)
    await put(producer, f"{prefix}clients", 11, TRICKY[:1] * 500)
    await put(producer, f"{prefix}clients.commands", 0, TRICKY[:4])
    await export(kafka.servers, prefix, NAMES, tmp_path / "backup", nothing)
    return tmp_path / "backup"


async def content(kafka: Server, topic: str) -> list[Any]:
    return [
        (each.partition, each.offset, each.timestamp, each.key, each.headers, each.value)
        for each in await all_of(kafka.address, topic)
    ]


async def refused(kafka: Server, folder: Path, message: str, target: str | None = None) -> None:
    """Importing says so in one line, and has not even made the topics if they were not there."""
    prefix = target or new_prefix()
    with pytest.raises(OperatorError, match=message) as error:
        await import_(kafka.servers, prefix, folder, nothing)
    assert "\n" not in str(error.value)
    if not target:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
        await admin.start()
        assert not any(topic.startswith(prefix) for topic in await admin.list_topics())
        await admin.close()


async def test_what_is_imported_is_what_was_exported(
    kafka: Server, prefix: str, exported: Path
) -> None:
    target = new_prefix()
    manifest = await import_(kafka.servers, target, exported, nothing)
    assert manifest.count == len(TRICKY) + 500 + 4
    for name in NAMES:
        assert await content(kafka, target + name) == await content(kafka, prefix + name)
    assert len(await content(kafka, f"{target}clients")) == len(TRICKY) + 500
    await refused(
        kafka, exported, f"there are records in {target}clients, {target}clients.commands", target
    )


def test_an_export_can_be_read_and_says_what_it_is(exported: Path, prefix: str) -> None:
    manifest = json.loads((exported / MANIFEST).read_text())
    assert (manifest["format_version"], manifest["prefix"]) == (1, prefix)
    [first, *_] = manifest["files"]
    assert (first["file"], first["topic"], first["partition"]) == (
        "clients-03.jsonl.gz",
        "clients",
        3,
    )
    assert (first["first_offset"], first["last_offset"], first["count"]) == (0, 5, 6)
    assert (first["bytes"], first["sha256"]) == size_and_sha256(exported / first["file"])
    lines = gzip.decompress((exported / first["file"]).read_bytes()).split(b"\n")
    assert "María" in lines[0].decode()
    assert json.loads(lines[2])["value"] == {"base64": "/wCA"}
    modes = {path.name: path.stat().st_mode for path in exported.iterdir()}
    assert modes == dict.fromkeys(
        [MANIFEST, *(file["file"] for file in manifest["files"])], stat.S_IFREG | 0o600
    )


async def test_commands_that_were_handled_are_not_handled_again(
    kafka: Server, prefix: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    await put(producer, f"{prefix}drafts.commands", 3, [(b"k", b"{}", [])] * 5)
    await committed(kafka, f"{prefix}composer", f"{prefix}drafts.commands", 3, at=2)
    await export(kafka.servers, prefix, NAMES, tmp_path, nothing)
    async with topic_prefix(kafka) as other:
        await import_(kafka.servers, other, tmp_path, nothing)
        offsets = await committed_offsets(kafka.servers, other, "composer")
        assert offsets == {TopicPartition(f"{other}drafts.commands", 3): 2}


async def committed(kafka: Server, group: str, topic: str, partition: int, *, at: int) -> None:
    """Let the group have handled what stands before the offset."""
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=kafka.address, group_id=group, enable_auto_commit=False
    )
    await consumer.start()
    try:
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        await consumer.commit({place: at})
    finally:
        await consumer.stop()


async def test_a_folder_with_an_export_is_left_as_it_is(
    kafka: Server, prefix: str, exported: Path
) -> None:
    before = (exported / MANIFEST).read_bytes()
    with pytest.raises(OperatorError, match="holds an export already"):
        await export(kafka.servers, prefix, NAMES, exported, nothing)
    assert (exported / MANIFEST).read_bytes() == before


async def test_an_export_that_cannot_be_written_is_reported(
    kafka: Server, prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match="file"):
        await export(kafka.servers, prefix, NAMES, tmp_path / "file" / "backup", nothing)
    with pytest.raises(OperatorError, match="topics apply"):
        await export(kafka.servers, "nowhere.", NAMES, tmp_path / "backup", nothing)


async def test_a_damaged_export_is_refused_before_anything_is_written(
    kafka: Server, exported: Path
) -> None:
    file, manifest = exported / "clients-11.jsonl.gz", exported / MANIFEST
    good, listed = file.read_bytes(), manifest.read_text()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for damaged in (bytes(flipped), good[:-1], b""):
        file.write_bytes(damaged)
        await refused(kafka, exported, "clients-11.jsonl.gz is damaged")
    file.unlink()
    await refused(kafka, exported, "clients-11.jsonl.gz is missing")
    file.write_bytes(good)
    manifest.write_text(listed.replace(size_and_sha256(file)[1], "0" * 64))
    await refused(kafka, exported, "clients-11.jsonl.gz is damaged")
    manifest.write_text(listed.replace('"format_version": 1', '"format_version": 2'))
    await refused(kafka, exported, "manifest.json: format_version")
    manifest.write_text(listed.replace('"topic": "clients"', '"topic": "../x"'))
    await refused(kafka, exported, "not named after its topic")
    manifest.unlink()
    await refused(kafka, exported, "manifest.json is missing")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{}", "line 501: partition: Field required"),
        (b'{"partition":11,"offset":500,"timestamp":0,"key":5,"headers":[],"value":null}', "key"),
        (b"", "has 500 records, but the manifest says 501"),
    ],
)
async def test_a_file_that_was_edited_is_refused_with_its_line(
    kafka: Server, exported: Path, line: bytes, message: str
) -> None:
    file, manifest = exported / "clients-11.jsonl.gz", exported / MANIFEST
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + line))
    listed = json.loads(manifest.read_text())
    [entry] = [each for each in listed["files"] if each["file"] == file.name]
    entry["bytes"], entry["sha256"] = size_and_sha256(file)
    entry["count"] += 1
    manifest.write_text(json.dumps(listed))
    await refused(kafka, exported, message)


async def test_another_writer_meanwhile_fails_the_import_and_says_what_to_do(
    kafka: Server, exported: Path
) -> None:
    target = new_prefix()
    written: list[int] = []

    async def write() -> None:
        async with chassis_kafka.producer(kafka.servers, "test") as producer:
            await producer.send_and_wait(f"{target}clients.commands", b"x", partition=0)

    def interfere(done: int, total: int) -> None:
        if not written:
            # In a thread, so that the import waits for it.
            with ThreadPoolExecutor() as thread:
                thread.submit(asyncio.run, write()).result()
        written.append(done)

    with pytest.raises(OperatorError, match=r"commands-00.*line 1: .*import again") as error:
        await import_(kafka.servers, target, exported, interfere)
    assert f"delete the topics {target}clients, {target}clients.commands" in str(error.value)


async def test_the_command_line_says_what_it_did(
    kafka: Server, prefix: str, exported: Path, tmp_path: Path
) -> None:
    async def run(prefix: str, *arguments: str) -> Any:
        environment = {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": prefix}
        invoked = CliRunner().invoke
        return await asyncio.to_thread(invoked, app, ["events", *arguments], env=environment)

    folder, target = str(tmp_path / "one"), new_prefix()
    done = await run(prefix, "export", folder, "clients.commands")
    assert (done.stdout, done.stderr) == (f"Exported 4 records of 1 topics to {folder}\n", "")
    done = await run(target, "import", folder)
    assert (done.stdout, done.stderr) == (f"Imported 4 records into the topics {target}*\n", "")
    assert "replies" in str((await run(prefix, "export", folder + "2", "replies")).exception)
