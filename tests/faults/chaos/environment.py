"""What stands around the services of a chaos run: the stores, the providers, what is between."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.faults.chaos import crashable_stores as stores
from tests.faults.chaos.crashable_stores import Store
from tests.faults.chaos.fault_schedule import CALL_SECONDS, LEASE_SECONDS
from tests.faults.tcp_proxy import Proxy, proxy
from tests.providers.running import Fake, provider
from tests.system import provided_by

_PROVIDER_MS = 50
_SETTINGS = {
    "CALL_TIMEOUT_SECONDS": str(CALL_SECONDS),
    "LEASE_SECONDS": str(LEASE_SECONDS),
    "RETRY_BASE_SECONDS": "0.5",
    "RETRY_MAX_ATTEMPTS": "8",
    "MAILER_RECONCILE_SECONDS": "2",
    "SCHEDULER_POLL_SECONDS": "1",
}


@dataclass(frozen=True)
class Surroundings:
    """Stores, providers, and the proxies in front of them, by name."""

    stores: dict[str, Store]
    providers: dict[str, Fake]
    proxies: dict[str, Proxy]

    @property
    def sendgrid(self) -> Fake:
        """The provider that counts."""
        return self.providers["sendgrid"]

    @property
    def settings(self) -> dict[str, str]:
        """What lets the services call the providers through the proxies, and soon give up."""
        openai, sendgrid = (self._between(name) for name in ("openai", "sendgrid"))
        return provided_by(openai, sendgrid) | _SETTINGS

    def _between(self, name: str) -> Fake:
        fake, between = self.providers[name], self.proxies[name]
        url = urlsplit(fake.url)
        return replace(fake, url=url._replace(netloc=f"{url.hostname}:{between.port}").geturl())

    async def misbehave(self, seed: int) -> None:
        """Let one call in ten fail, and one in twenty be done but not answered."""
        for number, fake in enumerate(self.providers.values()):
            await fake.order(*_misbehaviour(seed + number))

    async def behave(self) -> None:
        """Let the providers work from now on."""
        for fake in self.providers.values():
            await fake.behave()


@contextlib.asynccontextmanager
async def surroundings(folder: Path, *, apache: bool) -> AsyncIterator[Surroundings]:
    """Start all of them with their data in the folder; stop them afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        enter = stack.enter_async_context
        kafka = stores.apache if apache else stores.kafka
        running = {
            "mongodb": await enter(stores.mongodb(folder / "mongodb")),
            "kafka": await enter(kafka(folder / "kafka")),
        }
        providers = {
            "openai": await enter(provider("openai", folder, delay_ms=_PROVIDER_MS)),
            "sendgrid": await enter(provider("sendgrid", folder, delay_ms=_PROVIDER_MS)),
        }
        proxies = {name: store.proxy for name, store in running.items() if store.proxy}
        for name, fake in providers.items():
            proxies[name] = await enter(proxy(urlsplit(fake.url).port or 0))
        yield Surroundings(running, providers, proxies)


def _misbehaviour(seed: int) -> list[dict[str, Any]]:
    ways: list[dict[str, Any]] = [
        {"status": 500, "rate": 0.04},
        {"status": 429, "headers": {"Retry-After": "1"}, "rate": 0.03},
        {"drop": "before", "rate": 0.03},
        {"drop": "after", "rate": 0.05},
    ]
    return [{**way, "times": None, "seed": seed + number} for number, way in enumerate(ways)]
