"""Where a record was first read; a quarantine and a retry store it in headers of the record."""

from typing import Any, NamedTuple

HEADER_PREFIX = "quarantine_"


class Origin(NamedTuple):
    """Where a record was first read; `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int

    @property
    def key(self) -> str:
        """The record's key in quarantine."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def headers_of(origin: Origin) -> dict[str, str]:
    """Return the headers that store the origin with the record."""
    return {f"{HEADER_PREFIX}{name}": str(value) for name, value in origin._asdict().items()}


def origin_of(record: Any) -> tuple[Origin, list[tuple[str, bytes | None]]]:
    """Return the origin of a record that was in quarantine, and the headers it had before.

    Raises LookupError or ValueError for one that was not.
    """
    added = {n: value or b"" for n, value in record.headers if n.startswith(HEADER_PREFIX)}
    origin = Origin(
        added[f"{HEADER_PREFIX}topic"].decode(),
        int(added[f"{HEADER_PREFIX}partition"]),
        int(added[f"{HEADER_PREFIX}offset"]),
    )
    return origin, [header for header in record.headers if not header[0].startswith(HEADER_PREFIX)]
