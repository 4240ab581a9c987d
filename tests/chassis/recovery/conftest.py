"""The owner of tallies for each test."""

import pytest
from aiokafka import AIOKafkaProducer

from chassis.eventlog.event_store import EventLog
from chassis.mongo.client import Database
from tests.chassis.recovery.tally_owner import Owner
from tests.servers import Server


@pytest.fixture
def owner(
    database: Database, log: EventLog, producer: AIOKafkaProducer, kafka: Server, topics: str
) -> Owner:
    return Owner(database, log, producer, kafka, topics)
