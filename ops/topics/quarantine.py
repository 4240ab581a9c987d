"""`realtoros quarantine`: records that could not be handled are shown, retried or dropped."""

from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer

from chassis.inbox.quarantine import QuarantinedRecord, read_quarantine
from chassis.kafka import client as kafka
from chassis.kafka.origin import headers_of
from chassis.kafka.servers import KafkaServers
from chassis.kafka.start_check import kafka_start_errors
from contracts.services import SERVICES
from ops.errors import OperatorError

_CLIENT = "realtoros-quarantine"


def describe(record: QuarantinedRecord) -> list[str]:
    """Return the whole record as lines of text; it may hold personal data."""
    return [
        f"{record.name}  {record.at}  {record.reason}",
        f"key: {_text(record.key)}",
        *(f"{name}: {_text(value)}" for name, value in record.headers),
        _text(record.value),
    ]


class QuarantineAdmin:
    """The quarantines of all services on one Kafka. Every method raises OperatorError."""

    def __init__(self, servers: KafkaServers, prefix: str) -> None:
        self._servers = servers
        self._prefix = prefix

    async def records(self, services: Iterable[str] = SERVICES) -> list[QuarantinedRecord]:
        """Return the records in quarantine, oldest first."""
        with kafka_start_errors(self._servers):
            return await read_quarantine(self._servers, _CLIENT, self._prefix, services)

    async def records_named(self, names: Sequence[str]) -> list[QuarantinedRecord]:
        """Return the records of these names."""
        records = {record.name: record for record in await self.records()}
        if missing := [name for name in names if name not in records]:
            raise OperatorError(
                f"not in quarantine: {', '.join(missing)}; see `realtoros quarantine list`"
            )
        return [records[name] for name in dict.fromkeys(names)]

    async def retry(self, records: Iterable[QuarantinedRecord]) -> None:
        """Send each back to the service that could not handle it, and to no other."""
        with kafka_start_errors(self._servers):
            async with kafka.producer(self._servers, _CLIENT) as producer:
                for record in records:
                    origin = headers_of(record.origin).items()
                    await producer.send_and_wait(
                        f"{self._prefix}{record.service}.retries",
                        key=record.key,
                        value=record.value,
                        headers=[
                            *record.headers,
                            *((name, text.encode()) for name, text in origin),
                        ],
                    )
                    await self._remove(producer, record)

    async def drop(self, records: Iterable[QuarantinedRecord]) -> None:
        """Remove the records: they are never handled."""
        with kafka_start_errors(self._servers):
            async with kafka.producer(self._servers, _CLIENT) as producer:
                for record in records:
                    await self._remove(producer, record)

    async def _remove(self, producer: AIOKafkaProducer, record: QuarantinedRecord) -> None:
        topic = f"{self._prefix}{record.service}.quarantine"
        await producer.send_and_wait(topic, key=record.origin.key.encode())


def _text(raw: bytes | None) -> str:
    if raw is None:
        return "(null)"
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return repr(raw)
