"""`make test-alerts`: Debian's Prometheus scrapes real services; alerts fire, and clear again.

The rules are those of deploy/monitoring with shorter times: `for` is a second, and an increase is
one of the last 20 seconds. What they ask is unchanged.
"""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import yaml

from chassis.kafka import client as chassis_kafka
from contracts.services import SERVICES
from ops.servers.ports import LOOPBACK, free_port, free_ports
from tests.journeys.agent_user import agent_at, until
from tests.providers.running import provider
from tests.servers import Server
from tests.system import drop_databases, provider_settings, system, topic_prefix

RULES = Path(__file__).parents[2] / "deploy" / "monitoring" / "alerts.yaml"
pytestmark = pytest.mark.timeout(600)


class Prometheus:
    """A running Prometheus."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def firing(self) -> set[tuple[str, str]]:
        """Return alert and service of what fires."""
        answer = (await self._http.get("/api/v1/alerts")).json()["data"]["alerts"]
        return {
            (alert["labels"]["alertname"], alert["labels"]["service"])
            for alert in answer
            if alert["state"] == "firing"
        }

    async def scrapes(self, count: int) -> bool:
        """Return whether so many targets answer."""
        answer = (await self._http.get("/api/v1/query", params={"query": "sum(up)"})).json()
        return any(sample["value"][1] == str(count) for sample in answer["data"]["result"])

    async def until_firing(self, alert: str, service: str) -> None:
        """Wait until the alert fires."""

        async def fires() -> bool:
            return (alert, service) in await self.firing()

        await until(fires, f"{alert} of {service} fires")

    async def until_clear(self) -> None:
        """Wait until no alert fires."""
        left: set[tuple[str, str]] = set()

        async def clear() -> bool:
            left.clear()
            left.update(await self.firing())
            return not left

        await until(clear, "no alert fires", left)


@contextlib.asynccontextmanager
async def prometheus(folder: Path, ports: dict[str, int]) -> AsyncIterator[Prometheus]:
    """Run Prometheus on the rules with short times, one target for each service."""
    tool = shutil.which("prometheus")
    assert tool, "prometheus is missing: apt-get install prometheus"
    short = re.sub(r"\bfor: \d+m", "for: 1s", RULES.read_text())
    (folder / "alerts.yaml").write_text(re.sub(r"\[\d+m\]", "[20s]", short))
    targets = [
        {"targets": [f"{LOOPBACK}:{port}"], "labels": {"service": name}}
        for name, port in ports.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "realtoros", "static_configs": targets}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    address = f"{LOOPBACK}:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            tool,
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
    try:
        async with httpx2.AsyncClient(base_url=f"http://{address}", trust_env=False) as http:

            async def answers() -> bool:
                with contextlib.suppress(httpx2.TransportError):
                    return (await http.get("/-/ready")).is_success
                return False

            await until(answers, "Prometheus answers")
            yield Prometheus(http)
    finally:
        process.terminate()
        await process.wait()


async def test_what_goes_wrong_fires_and_what_is_mended_clears(
    tmp_path: Path, kafka: Server, mongodb_server: Server
) -> None:
    await drop_databases(mongodb_server)
    ports: dict[str, int] = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    async with contextlib.AsyncExitStack() as stack:
        sendgrid = await stack.enter_async_context(provider("sendgrid", tmp_path))
        writer = contextlib.AsyncExitStack()
        openai = await writer.enter_async_context(provider("openai", tmp_path))
        stack.push_async_exit(writer)
        prefix = await stack.enter_async_context(topic_prefix(kafka))
        settings = provider_settings(openai, sendgrid)
        running = await stack.enter_async_context(
            system(
                tmp_path,
                kafka,
                mongodb_server,
                prefix=prefix,
                environment=settings
                | {
                    "FOLLOWUP_DAY_SECONDS": "0.5",
                    "RETRY_BASE_SECONDS": "4",
                    "PROVIDER_OUTAGE_GIVE_UP_SECONDS": "20",
                },
                service_environments={n: {"METRICS_PORT": str(p)} for n, p in ports.items()},
            )
        )
        agent = await stack.enter_async_context(agent_at(running.api[0]))
        monitor = await stack.enter_async_context(prometheus(tmp_path, ports))

        async def all_scraped() -> bool:
            return await monitor.scrapes(len(SERVICES))

        await until(all_scraped, "all services are scraped")
        await monitor.until_clear()

        # A consumer is gone.
        await running.kill("scheduler")
        await monitor.until_firing("RealtorosServiceDown", "scheduler")
        await running.start("scheduler")
        await monitor.until_clear()

        # A record that nobody can read.
        async with chassis_kafka.producer(kafka.servers, "test") as producer:
            await producer.send_and_wait(
                f"{prefix}clients.commands", b"{not json", key=uuid4().bytes
            )
        await monitor.until_firing("RealtorosQuarantined", "crm")
        await monitor.until_clear()

        # The provider is gone until letters have failed.
        await writer.aclose()
        await agent.add("Unwritten")
        await monitor.until_firing("RealtorosProviderDown", "composer")
        await monitor.until_firing("RealtorosCompositionFailed", "composer")
        again = await writer.enter_async_context(provider("openai", tmp_path))
        assert again.url == openai.url
        client = await agent.add("Written")
        await agent.task(client, "sent")
        await monitor.until_clear()
