"""The series of metrics of each service: all there at the start, few, and as documented."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from contracts.services import SERVICES, Service
from ops.servers.ports import LOOPBACK, free_ports
from tests.journeys.agent_user import agent_at
from tests.journeys.conftest import Providers
from tests.servers import Server
from tests.system import drop_databases, system, topic_prefix

pytestmark = pytest.mark.journey

DOCUMENTED = Path(__file__).parents[2] / "docs" / "operations.md"
MOST_SERIES = 200
NAMES = ("Zebulon", "Wilhelmina", "Bartholomew")
FOLLOWUPS = 5 * len(NAMES)

Series = dict[str, dict[tuple[tuple[str, str], ...], float]]


async def scraped(port: int) -> Series:
    """Return the values of a process by series."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"http://{LOOPBACK}:{port}/metrics")).text
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def keys_of(series: Series) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {(name, labels) for name, of in series.items() for labels in of}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Return by metric the labels and the services of the table."""
    rows = re.findall(
        r"^\| `(realtoros_\w+)(?:\{(.*?)\})?` \| (.*?) \|", DOCUMENTED.read_text(), re.MULTILINE
    )
    everyone = ", ".join(SERVICES)
    return {
        name: (
            set(filter(None, labels.split(","))),
            set((everyone if who == "all" else who).split(", ")),
        )
        for name, labels, who in rows
    }


@dataclass(frozen=True)
class Month:
    """A month of the sample leads: series by service before and after it, and the log lines."""

    first: Mapping[Service, Series]
    then: Mapping[Service, Series]
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
async def month(
    tmp_path_factory: pytest.TempPathFactory,
    kafka: Server,
    mongodb_server: Server,
    providers: Providers,
) -> AsyncIterator[Month]:
    await drop_databases(mongodb_server)
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    async with (
        topic_prefix(kafka) as prefix,
        system(
            tmp_path_factory.mktemp("series"),
            kafka,
            mongodb_server,
            prefix=prefix,
            environment=providers.settings | {"FOLLOWUP_DAY_SECONDS": "0.1"},
            service_environments={n: {"METRICS_PORT": str(port)} for n, port in ports.items()},
        ) as running,
        agent_at(running.api[0]) as agent,
    ):
        first = {name: await scraped(port) for name, port in ports.items()}
        for name in NAMES:
            await agent.add(name)
        for path in ("/api/nothing", "/api/clients", "/api/tasks?limit=x"):
            await agent.http.get(path)
        await agent.until_sent(FOLLOWUPS)
        then = {name: await scraped(port) for name, port in ports.items()}
        logs = [process.log for of in running.processes.values() for process in of]
        lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
        yield Month(first, then, lines)


@pytest.mark.parametrize("service", SERVICES)
def test_all_series_exist_at_the_start_are_few_and_documented(
    month: Month, service: Service
) -> None:
    then = keys_of(month.then[service])
    ours = {key for key in then if key[0].startswith("realtoros_")}
    assert ours <= keys_of(month.first[service])
    assert len(then) <= MOST_SERIES
    found = {
        re.sub(r"_(bucket|sum|count)$", "", metric): {label for label, _ in labels} - {"le"}
        for metric, labels in ours
    }
    assert found == {
        metric: labels for metric, (labels, who) in documented().items() if service in who
    }


def test_they_count_what_has_happened(month: Month) -> None:
    sent = (("type", "EmailSent"),)
    assert month.first["mailer"]["realtoros_events_total"][sent] == 0
    assert month.then["mailer"]["realtoros_events_total"][sent] == FOLLOWUPS
    assert month.then["mailer"]["realtoros_calls_total"][("outcome", "answered"),] == FOLLOWUPS
    assert month.then["mailer"]["realtoros_call_seconds_count"][()] == FOLLOWUPS
    assert month.then["crm"]["realtoros_commands_total"][("outcome", "accepted"),] >= len(NAMES)
    gateway = month.then["gateway"]
    assert gateway["realtoros_http_requests_total"][("route", "other"),] == 1
    assert gateway["realtoros_http_responses_total"][("status", "404"),] == 1
    assert gateway["realtoros_http_responses_total"][("status", "422"),] == 1


def test_the_log_tells_each_followups_story_without_addresses_and_names(month: Month) -> None:
    told = {
        event: [line for line in month.lines if line["event"] == event]
        for event in ("followup_due", "email_composed", "email_sent")
    }
    stories = [
        {(line["followup_id"], line["correlation"], line["client_id"]) for line in lines}
        for lines in told.values()
    ]
    assert [len(lines) for lines in told.values()] == [FOLLOWUPS] * 3
    assert stories[0] == stories[1] == stories[2]
    accepted = {line["correlation"] for line in month.lines if line["event"] == "command_accepted"}
    assert {correlation for _, correlation, _ in stories[0]} <= accepted
    assert all(line["agent_id"] for lines in told.values() for line in lines)
    text = json.dumps(month.lines)
    for name in NAMES:
        assert name not in text
        assert name.lower() not in text
