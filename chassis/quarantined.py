"""What waits in quarantine, read from its topics: the latest entry of each record counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chassis.quarantine import MARK, Origin, taken_from
from chassis.topic_reader import topic_reader

_BATCH = 500


@dataclass(frozen=True)
class Kept:
    """A record in quarantine; headers, key and value are as it came.

    It is called by who could not handle it and where it came from:
    `<service>/<topic>-<partition>-<offset>`.
    """

    service: str
    origin: Origin
    reason: str
    at: str
    headers: list[tuple[str, bytes | None]]
    key: bytes | None
    value: bytes | None

    @property
    def name(self) -> str:
        """What operators call it."""
        return f"{self.service}/{self.origin.key}"

    @property
    def type(self) -> str:
        """What the record says it is."""
        return (dict(self.headers).get("ce_type") or b"?").decode(errors="replace")


async def quarantined(
    bootstrap: str, client_id: str, prefix: str, services: Iterable[str]
) -> list[Kept]:
    """Read what waits, in the order in which it came. Raises KafkaError."""
    topics = {f"{prefix}{service}.quarantine": service for service in services}
    found: dict[tuple[str, bytes | None], Kept] = {}
    async with topic_reader(bootstrap, client_id) as reader:
        begins, ends = await reader.bounds(list(topics))
        async for records, _ in reader.batches(begins, ends, _BATCH):
            for record in records:
                place = (record.topic, record.key)
                found.pop(place, None)
                # A tombstone means that it is settled.
                if record.value is not None:
                    found[place] = _kept(topics[record.topic], record)
    return sorted(found.values(), key=lambda kept: (kept.service, kept.origin))


def _kept(service: str, record: Any) -> Kept:
    origin, headers = taken_from(record)
    told = {name.removeprefix(MARK): value for name, value in record.headers if value is not None}
    return Kept(
        service=service,
        origin=origin,
        reason=told["reason"].decode(),
        at=told["at"].decode(),
        headers=headers,
        key=bytes.fromhex(told["key"].decode()) if "key" in told else None,
        value=None if "null" in told else record.value,
    )
