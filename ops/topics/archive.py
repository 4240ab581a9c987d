"""An export on disk: one gzip file of JSON lines per partition, and a manifest, written last.

A line is `{"partition", "offset", "timestamp", "key", "headers": [[name, value], …], "value"}`.
Keys, values and the values of headers are bytes: null is null, UTF-8 is a string, and anything
else is `{"base64": "…"}`, so that reading gives exactly the bytes that were written.
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
    """Give bytes for JSON, as lines have them."""
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw or b"").decode()}


def _read(written: object) -> bytes | None:
    match written:
        case None | bytes():
            return written
        case str():
            return written.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text, validate=True)
    raise ValueError("has to be null, a string or an object with base64")


Raw = Annotated[bytes | None, BeforeValidator(_read), PlainSerializer(text_or_base64)]


class _Part(BaseModel):
    # Errors do not quote what they refuse: it may be personal.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ArchivedRecord(_Part):
    """A line: a record, with where it stood; `timestamp` in milliseconds since 1970."""

    partition: int
    offset: int
    timestamp: int
    key: Raw
    headers: list[tuple[str, Raw]]
    value: Raw


class ArchivedFile(_Part):
    """A partition's file; `topic` is without the prefix, `bytes` and `sha256` are the file's.

    `handled`: how many of its records, commands, their owner had handled.
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


class Manifest(_Part):
    """What an export consists of. Partitions without records have no file."""

    format_version: Literal[1] = 1
    prefix: str
    exported_at: str
    files: list[ArchivedFile]

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(file.count for file in self.files)


def file_name(topic: str, partition: int) -> str:
    """Give the name of a partition's file."""
    return f"{topic}-{partition:02}.jsonl.gz"


def prepare(folder: Path) -> None:
    """Make the folder for an export. Raises OperatorError when there is one in it."""
    if (folder / MANIFEST).exists():
        raise OperatorError(f"{folder} holds an export already: give another folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_manifest(folder: Path) -> Manifest:
    """Read what the export consists of. Raises OperatorError when that cannot be told."""
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise OperatorError(f"{path} is missing: this is no export, or not a whole one") from None
    except ValidationError as error:
        raise OperatorError(f"{path}: {_reason(error)}") from error


def verify(folder: Path, file: ArchivedFile) -> None:
    """Read a file whole. Raises OperatorError when it is not what the manifest says."""
    path = folder / file.file
    if Path(file.file).name != file_name(file.topic, file.partition):
        raise OperatorError(f"{path} is not called as its topic and partition")
    try:
        measured = described(path)
    except FileNotFoundError:
        raise OperatorError(f"{path} is missing") from None
    if measured != (file.bytes, file.sha256):
        raise OperatorError(f"{path} is damaged: its size or SHA-256 is not that of the manifest")
    if (count := sum(1 for _ in records(folder, file))) != file.count:
        raise OperatorError(f"{path} has {count} records, the manifest says {file.count}")


def records(folder: Path, file: ArchivedFile) -> Iterator[ArchivedRecord]:
    """Give a file's records. Raises OperatorError with the file and the line."""
    path, number = folder / file.file, 0
    try:
        with gzip.open(path) as lines:
            for number, line in enumerate(lines, 1):  # noqa: B007 - for the error
                yield ArchivedRecord.model_validate_json(line)
    except ValidationError as error:
        raise OperatorError(f"{path}, line {number}: {_reason(error)}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OperatorError(f"{path}, after line {number}: {error}") from error


def described(path: Path) -> tuple[int, str]:
    """Give a file's size and SHA-256."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that appears under its name once it is on the disk; its owner alone may read."""
    part = path.with_name(f"{path.name}.part")
    with open(part, "wb", opener=_private) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def compressed(file: IO[bytes]) -> IO[bytes]:
    """Give what compresses into the file."""
    return gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file)  # type: ignore[return-value]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _reason(error: ValidationError) -> str:
    first: Any = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
