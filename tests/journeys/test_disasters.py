"""Kafka's or MongoDB's data is lost or outdated: no event is lost and no email sent twice."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.services import SERVICES, Service
from tests.faults.checker.verdict import Anomaly
from tests.journeys.conftest import Providers
from tests.journeys.database_backup import back_up
from tests.journeys.disaster_system import DisasterSystem, disaster_system
from tests.journeys.topic_damage import truncate_topic, wipe_topics
from tests.servers import Server
from tests.system import Running

pytestmark = pytest.mark.journey

WRITERS: dict[Service, str] = {
    "crm": "clients",
    "scheduler": "followups",
    "composer": "drafts",
    "mailer": "emails",
}


async def test_the_broker_s_data_is_deleted_and_all_events_come_back_from_the_logs(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(20)
        await system.until_accepted(30)
        await system.running.stop(*SERVICES)
        assert 30 <= len(system.mails()) < system.followups
        assert await wipe_topics(kafka, prefix) > 0
        await system.running.start(*SERVICES)
        # Commands are read from the beginning of the new topic.
        await system.add(2)
        await system.assert_consistent()
        for service in WRITERS:
            [found] = system.log_entries(service, "reconciled")
            assert found["to_publish"] > 0
            assert found["taken_in"] == 0


@pytest.mark.long
async def test_the_broker_s_data_is_deleted_under_running_services_and_comes_back_at_their_start(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(10)
        await system.until_accepted(12)
        # As if a new broker had replaced the old one: no service sees the topics missing.
        with frozen(system.running):
            assert await wipe_topics(kafka, prefix) > 0
        # Pending events are published to the new topics, which no service knows to be new.
        await system.until_accepted(25)
        await system.running.stop(*SERVICES)
        await system.running.start(*SERVICES)
        await system.assert_consistent(allowed=out_of_order)


@pytest.mark.long
@pytest.mark.parametrize("service", WRITERS)
async def test_a_truncated_topic_is_refilled(
    tmp_path: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    service: Service,
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(10)
        await system.until_accepted(20)
        await system.running.stop(*SERVICES)
        assert await truncate_topic(kafka, prefix + WRITERS[service]) > 0
        await system.running.start(*SERVICES)
        # The records after the cut are published again behind the earlier ones.
        await system.assert_consistent(allowed=out_of_order)
        [found] = system.log_entries(service, "reconciled")
        assert found["to_publish"] > 0


async def test_an_interrupted_republish_is_completed_by_the_next_start(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "0.1"}
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers, **day) as system:
        await system.add(5)
        await system.agent.until_all_ended(system.followups)
        await system.running.stop(*SERVICES)
        assert await truncate_topic(kafka, f"{prefix}followups") > 0
        with pytest.raises(InterruptedRepublish):
            await system.rebuildings()["scheduler"].republish(interrupt)
        await system.running.start(*SERVICES)
        await system.assert_consistent(allowed=out_of_order)


@pytest.mark.long
async def test_all_databases_are_restored_from_an_older_backup_and_catch_up_from_the_topics(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(20)
        await system.until_accepted(25)
        backup = await back_up(mongodb)
        await system.add(2)
        await system.until_accepted(55)
        await system.running.stop(*SERVICES)
        await backup.restore(mongodb)
        await system.running.start(*SERVICES)
        await system.assert_consistent()
        assert_restored(system, *WRITERS)


async def test_the_broker_s_data_is_deleted_and_then_an_older_backup_restored(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(20)
        await system.until_accepted(25)
        backup = await back_up(mongodb)
        await system.until_accepted(35)
        await system.running.stop(*SERVICES)
        await wipe_topics(kafka, prefix)
        await system.running.start(*SERVICES)
        await system.add(2)
        await system.until_accepted(55)
        await system.running.stop(*SERVICES)
        await backup.restore(mongodb)
        await system.running.start(*SERVICES)
        await system.assert_consistent()
        assert_restored(system, *WRITERS)


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
async def test_one_database_is_restored_while_the_other_services_run(
    tmp_path: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    service: Service,
) -> None:
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers) as system:
        await system.add(10)
        await system.until_accepted(12)
        backup = await back_up(mongodb, service)
        await system.add(2)
        await system.until_accepted(25)
        await system.running.stop(service)
        await backup.restore(mongodb)
        await system.running.start(service)
        await system.add(2)
        await system.assert_consistent()
        if service in WRITERS:
            assert_restored(system, service)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_backup_from_a_thousand_followups_earlier_is_restored(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "1"}
    async with disaster_system(tmp_path, kafka, mongodb, prefix, providers, **day) as system:
        await system.add(220)
        await system.until_accepted(20)
        backup = await back_up(mongodb)
        await system.add(20)
        await system.until_accepted(1_020)
        await system.running.stop(*SERVICES)
        assert len(system.mails()) < system.followups
        await backup.restore(mongodb)
        await system.running.start(*SERVICES)
        await system.assert_consistent()
        assert_restored(system, *WRITERS)


@contextlib.contextmanager
def frozen(running: Running) -> Iterator[None]:
    """Freeze all processes meanwhile (SIGSTOP)."""
    pids = [process.pid for processes in running.processes.values() for process in processes]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class InterruptedRepublish(Exception):
    """Stands for the end of the process."""


def interrupt(done: int, total: int) -> None:
    """Interrupt as soon as some records are done."""
    if done:
        raise InterruptedRepublish


def assert_restored(system: DisasterSystem, *services: str) -> None:
    """Assert that the services have restored events that only the topics had."""
    for service in services:
        assert system.log_entries(service, "reconciled")[-1]["taken_in"] > 0


def out_of_order(anomaly: Anomaly) -> bool:
    """Return whether the anomaly is an event published out of order."""
    return "published out of order" in anomaly.detail
