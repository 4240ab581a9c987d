"""Kafka's or MongoDB's data is lost, or of yesterday: nothing is lost for good or sent again."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.services import SERVICES, Service
from tests.faults.checker.verdict import Anomaly
from tests.journeys.conftest import Providers
from tests.journeys.database_backup import back_up
from tests.journeys.disaster_system import Site, site
from tests.journeys.topic_damage import cut, lose_topics
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
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(20)
        await here.until_mailed(30)
        await here.running.stop(*SERVICES)
        assert 30 <= len(here.mails()) < here.followups
        assert await lose_topics(kafka, prefix) > 0
        await here.running.start(*SERVICES)
        # Commands are read from the beginning of the new topic.
        await here.add(2)
        await here.assert_whole()
        for service in WRITERS:
            [found] = here.told(service, "reconciled")
            assert found["to_publish"] > 0
            assert found["taken_in"] == 0


@pytest.mark.long
async def test_the_broker_s_data_is_deleted_under_running_services_and_comes_back_at_their_start(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(10)
        await here.until_mailed(12)
        # As if a new broker had taken the place of the old one: nobody sees the topics missing.
        with frozen(here.running):
            assert await lose_topics(kafka, prefix) > 0
        # What is under way is published to the new topics, and that they are new is not noticed.
        await here.until_mailed(25)
        await here.running.stop(*SERVICES)
        await here.running.start(*SERVICES)
        await here.assert_whole(apart=out_of_order)


@pytest.mark.long
@pytest.mark.parametrize("service", WRITERS)
async def test_a_topic_that_was_cut_is_refilled(
    tmp_path: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    service: Service,
) -> None:
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(10)
        await here.until_mailed(20)
        await here.running.stop(*SERVICES)
        assert await cut(kafka, prefix + WRITERS[service]) > 0
        await here.running.start(*SERVICES)
        # What stood behind the cut comes again after it.
        await here.assert_whole(apart=out_of_order)
        [found] = here.told(service, "reconciled")
        assert found["to_publish"] > 0


async def test_a_mending_that_was_cut_off_is_done_by_the_next_start(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "0.1"}
    async with site(tmp_path, kafka, mongodb, prefix, providers, **day) as here:
        await here.add(5)
        await here.agent.until_all_ended(here.followups)
        await here.running.stop(*SERVICES)
        assert await cut(kafka, f"{prefix}followups") > 0
        with pytest.raises(CutOffError):
            await here.rebuildings()["scheduler"].republish(cut_off)
        await here.running.start(*SERVICES)
        await here.assert_whole(apart=out_of_order)


@pytest.mark.long
async def test_all_databases_are_put_back_to_an_older_copy_and_take_in_what_they_miss(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(20)
        await here.until_mailed(25)
        copy = await back_up(mongodb)
        await here.add(2)
        await here.until_mailed(55)
        await here.running.stop(*SERVICES)
        await copy.put_back(mongodb)
        await here.running.start(*SERVICES)
        await here.assert_whole()
        assert_taken_in(here, *WRITERS)


async def test_the_broker_s_data_is_deleted_and_then_an_older_copy_put_back(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(20)
        await here.until_mailed(25)
        copy = await back_up(mongodb)
        await here.until_mailed(35)
        await here.running.stop(*SERVICES)
        await lose_topics(kafka, prefix)
        await here.running.start(*SERVICES)
        await here.add(2)
        await here.until_mailed(55)
        await here.running.stop(*SERVICES)
        await copy.put_back(mongodb)
        await here.running.start(*SERVICES)
        await here.assert_whole()
        assert_taken_in(here, *WRITERS)


@pytest.mark.long
@pytest.mark.parametrize("service", SERVICES)
async def test_one_database_is_put_back_while_the_other_services_go_on(
    tmp_path: Path,
    kafka: Server,
    mongodb: Server,
    prefix: str,
    providers: Providers,
    service: Service,
) -> None:
    async with site(tmp_path, kafka, mongodb, prefix, providers) as here:
        await here.add(10)
        await here.until_mailed(12)
        copy = await back_up(mongodb, service)
        await here.add(2)
        await here.until_mailed(25)
        await here.running.stop(service)
        await copy.put_back(mongodb)
        await here.running.start(service)
        await here.add(2)
        await here.assert_whole()
        if service in WRITERS:
            assert_taken_in(here, service)


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_copy_taken_a_thousand_followups_earlier_is_put_back(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    day = {"FOLLOWUP_DAY_SECONDS": "1"}
    async with site(tmp_path, kafka, mongodb, prefix, providers, **day) as here:
        await here.add(220)
        await here.until_mailed(20)
        copy = await back_up(mongodb)
        await here.add(20)
        await here.until_mailed(1_020)
        await here.running.stop(*SERVICES)
        assert len(here.mails()) < here.followups
        await copy.put_back(mongodb)
        await here.running.start(*SERVICES)
        await here.assert_whole()
        assert_taken_in(here, *WRITERS)


@contextlib.contextmanager
def frozen(running: Running) -> Iterator[None]:
    """Let all processes stand still meanwhile."""
    pids = [process.pid for processes in running.processes.values() for process in processes]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


class CutOffError(Exception):
    """The process ends here."""


def cut_off(done: int, total: int) -> None:
    """End as soon as some of it is read."""
    if done:
        raise CutOffError


def assert_taken_in(here: Site, *services: str) -> None:
    """Assert that the services have taken in what only the topics had."""
    for service in services:
        assert here.told(service, "reconciled")[-1]["taken_in"] > 0


def out_of_order(anomaly: Anomaly) -> bool:
    """Tell whether it says that a later version stands before an earlier one."""
    return "published out of order" in anomaly.detail
