"""`realtoros quarantine`: what could not be handled is shown, given back, or dropped."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.inbox.quarantine import QuarantinedRecord, headers_of, read_quarantine
from chassis.kafka import client as kafka
from ops.errors import OperatorError
from ops.services import SERVICES

_CLIENT = "realtoros-quarantine"


def described(kept: QuarantinedRecord) -> list[str]:
    """Give all of a record as lines to read; it may hold personal data."""
    return [
        f"{kept.name}  {kept.at}  {kept.reason}",
        f"key: {_text(kept.key)}",
        *(f"{name}: {_text(value)}" for name, value in kept.headers),
        _text(kept.value),
    ]


class Quarantines:
    """The quarantines of all services on one Kafka."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix

    async def kept(self, services: Iterable[str] = SERVICES) -> list[QuarantinedRecord]:
        """Read what waits, in the order in which it came. Raises OperatorError without Kafka."""
        async with self._errors_told():
            return await read_quarantine(self._bootstrap, _CLIENT, self._prefix, services)

    async def named(self, names: Sequence[str]) -> list[QuarantinedRecord]:
        """Read those of these names. Raises OperatorError when one is not there."""
        kept = {one.name: one for one in await self.kept()}
        if missing := [name for name in names if name not in kept]:
            raise OperatorError(f"not in quarantine: {', '.join(missing)}")
        return [kept[name] for name in dict.fromkeys(names)]

    async def retry(self, kept: Iterable[QuarantinedRecord]) -> None:
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

    async def drop(self, kept: Iterable[QuarantinedRecord]) -> None:
        """Forget them: they are never handled."""
        async with self._errors_told(), kafka.producer(self._bootstrap, _CLIENT) as producer:
            for one in kept:
                await self._settle(producer, one)

    async def _settle(self, producer: AIOKafkaProducer, one: QuarantinedRecord) -> None:
        topic = f"{self._prefix}{one.service}.quarantine"
        await producer.send_and_wait(topic, key=one.origin.key.encode())

    @contextlib.asynccontextmanager
    async def _errors_told(self) -> AsyncIterator[None]:
        try:
            yield
        except (KafkaError, OSError) as error:
            raise OperatorError(f"Kafka at {self._bootstrap}: {error}") from error


def _text(raw: bytes | None) -> str:
    if raw is None:
        return "(null)"
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return repr(raw)
