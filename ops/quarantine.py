"""`realtoros quarantine`: what could not be handled, shown, given back to its service, or dropped.

A record is called by who could not handle it and where it came from:
`<service>/<topic>-<partition>-<offset>`. Its latest entry in the topic `<service>.quarantine`
counts; a tombstone means that it is settled.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis import kafka
from chassis.quarantine import MARK, Origin, headers_of, taken_from
from chassis.topic_reader import topic_reader
from ops.errors import OperatorError
from ops.services import SERVICES

_CLIENT = "realtoros-quarantine"
_BATCH = 500


@dataclass(frozen=True)
class Kept:
    """A record in quarantine; headers, key and value are as it came."""

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

    def described(self) -> list[str]:
        """Give all of it as lines to read; it may hold personal data."""
        return [
            f"{self.name}  {self.at}  {self.reason}",
            f"key: {_text(self.key)}",
            *(f"{name}: {_text(value)}" for name, value in self.headers),
            _text(self.value),
        ]


class Quarantines:
    """The quarantines of all services on one Kafka."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix

    async def kept(self, services: Iterable[str] = SERVICES) -> list[Kept]:
        """Read what waits, in the order in which it came. Raises OperatorError without Kafka."""
        topics = {f"{self._prefix}{service}.quarantine": service for service in services}
        found: dict[tuple[str, bytes], Kept] = {}
        async with self._errors_told():
            for record in await self._records(topics):
                place = (record.topic, record.key)
                found.pop(place, None)
                if record.value is not None:
                    found[place] = _kept(topics[record.topic], record)
        return sorted(found.values(), key=lambda kept: (kept.service, kept.origin))

    async def named(self, names: Sequence[str]) -> list[Kept]:
        """Read those of these names. Raises OperatorError when one is not there."""
        kept = {one.name: one for one in await self.kept()}
        if missing := [name for name in names if name not in kept]:
            raise OperatorError(f"not in quarantine: {', '.join(missing)}")
        return [kept[name] for name in dict.fromkeys(names)]

    async def retry(self, kept: Iterable[Kept]) -> None:
        """Give each back to the service that could not handle it, and to no other."""
        async with self._errors_told(), kafka.producer(self._bootstrap, _CLIENT) as producer:
            for one in kept:
                marks = [(name, text.encode()) for name, text in headers_of(one.origin).items()]
                await producer.send_and_wait(
                    f"{self._prefix}{one.service}.retries",
                    key=one.key,
                    value=one.value,
                    headers=[*one.headers, *marks],
                )
                await self._settle(producer, one)

    async def drop(self, kept: Iterable[Kept]) -> None:
        """Forget them: they are never handled."""
        async with self._errors_told(), kafka.producer(self._bootstrap, _CLIENT) as producer:
            for one in kept:
                await self._settle(producer, one)

    async def _settle(self, producer: AIOKafkaProducer, one: Kept) -> None:
        topic = f"{self._prefix}{one.service}.quarantine"
        await producer.send_and_wait(topic, key=one.origin.key.encode())

    @contextlib.asynccontextmanager
    async def _errors_told(self) -> AsyncIterator[None]:
        try:
            yield
        except (KafkaError, OSError) as error:
            raise OperatorError(f"Kafka at {self._bootstrap}: {error}") from error

    async def _records(self, topics: Iterable[str]) -> list[Any]:
        async with topic_reader(self._bootstrap, _CLIENT) as reader:
            begins, ends = await reader.bounds(list(topics))
            batches = reader.batches(begins, ends, _BATCH)
            return [record async for records, _ in batches for record in records]


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


def _text(raw: bytes | None) -> str:
    if raw is None:
        return "(null)"
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return repr(raw)
