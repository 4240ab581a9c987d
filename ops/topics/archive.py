"""An export on disk: one gzip file of JSON lines per partition, and a manifest, written last.

A line is `{"partition", "offset", "timestamp", "key", "headers": [[name, value], …], "value"}`.
Keys, values and the values of headers are bytes: null is null, UTF-8 is a string, and anything
else is `{"base64": "…"}`, so that reading returns exactly the bytes that were written.
"""

import base64
import contextlib
import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from ops.errors import OperatorError

MANIFEST = "manifest.json"
_LEVEL = 6


def text_or_base64(raw: bytes | None) -> str | dict[str, str] | None:
    """Return bytes as JSON has them here."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw or b"").decode()}


def _decode(written: object) -> bytes | None:
    match written:
        case None | bytes():
            return written
        case str():
            return written.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text, validate=True)
    raise ValueError("must be null, a string or an object with base64")


Raw = Annotated[bytes | None, BeforeValidator(_decode), PlainSerializer(text_or_base64)]


class _Model(BaseModel):
    # Errors do not quote their input: it may be personal.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ArchivedRecord(_Model):
    """A line: a record with its position; `timestamp` in milliseconds since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: Raw
    headers: list[tuple[str, Raw]]
    value: Raw


class ArchivedFile(_Model):
    """A partition's file; `topic` is without the prefix, `bytes` and `sha256` are the file's.

    `handled`: how many of its records, if commands, their owner had handled.
    """

    file: str
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    count: int
    bytes: int
    sha256: str
    handled: int = 0


class Manifest(_Model):
    """The files of an export. Partitions without records have none."""

    format_version: Literal[1] = 1
    prefix: str
    exported_at: str
    files: list[ArchivedFile]

    @property
    def count(self) -> int:
        """The number of records."""
        return sum(file.count for file in self.files)


def file_name(topic: str, partition: int) -> str:
    """Return the name of a partition's file."""
    return f"{topic}-{partition:02}.jsonl.gz"


def prepare_folder(folder: Path) -> None:
    """Make the folder for an export. Raises OperatorError when it holds one."""
    if (folder / MANIFEST).exists():
        raise OperatorError(f"{folder} holds an export already: choose another folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest. Raises OperatorError when it is missing or invalid."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise OperatorError(f"{path} is missing: the export is incomplete; export again") from None
    except ValidationError as error:
        raise OperatorError(f"{path}: {_first_error(error)}") from error


def verify(folder: Path, file: ArchivedFile) -> None:
    """Check a file against the manifest. Raises OperatorError when they differ."""
    path = folder / file.file
    if Path(file.file).name != file_name(file.topic, file.partition):
        raise OperatorError(f"{path} is not named after its topic and partition: export again")
    try:
        measured = size_and_sha256(path)
    except FileNotFoundError:
        raise OperatorError(f"{path} is missing: copy the whole export") from None
    if measured != (file.bytes, file.sha256):
        raise OperatorError(
            f"{path} is damaged: its size or SHA-256 differs from the manifest; copy it again"
        )
    if (count := sum(1 for _ in records(folder, file))) != file.count:
        raise OperatorError(
            f"{path} has {count} records, but the manifest says {file.count}: export again"
        )


def records(folder: Path, file: ArchivedFile) -> Iterator[ArchivedRecord]:
    """Yield a file's records. Raises OperatorError with the file and the line."""
    path, number = folder / file.file, 0
    try:
        with gzip.open(path) as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 - for the error
                yield ArchivedRecord.model_validate_json(line)
    except ValidationError as error:
        raise OperatorError(f"{path}, line {number}: {_first_error(error)}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OperatorError(f"{path}, after line {number}: {error}") from error


def size_and_sha256(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that gets its name once it is on the disk; only its owner may read it."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "wb", opener=_open_private) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def gzip_writer(file: IO[bytes]) -> IO[bytes]:
    """Return a writer that compresses into the file."""
    return gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file)  # type: ignore[return-value]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _first_error(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
