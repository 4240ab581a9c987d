"""The infrastructure around the services: stores, providers, and proxies in front of them."""

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
from tests.providers.running import FakeProvider, provider
from tests.system import provider_settings

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
class Infrastructure:
    """Stores, providers and proxies, by name."""

    stores: dict[str, Store]
    providers: dict[str, FakeProvider]
    proxies: dict[str, Proxy]

    @property
    def sendgrid(self) -> FakeProvider:
        """The mail provider, whose ledger the checker reads."""
        return self.providers["sendgrid"]

    @property
    def settings(self) -> dict[str, str]:
        """Settings with the providers' addresses behind the proxies, and short timeouts."""
        openai, sendgrid = (self._proxied(name) for name in ("openai", "sendgrid"))
        return provider_settings(openai, sendgrid) | _SETTINGS

    def _proxied(self, name: str) -> FakeProvider:
        fake, proxy_ = self.providers[name], self.proxies[name]
        url = urlsplit(fake.url)
        return replace(fake, url=url._replace(netloc=f"{url.hostname}:{proxy_.port}").geturl())

    async def inject_faults(self, seed: int) -> None:
        """Make one call in ten fail, and one in twenty succeed without an answer."""
        for number, fake in enumerate(self.providers.values()):
            await fake.inject_faults(*_provider_faults(seed + number))

    async def clear_faults(self) -> None:
        """Clear the providers' faults."""
        for fake in self.providers.values():
            await fake.clear_faults()


@contextlib.asynccontextmanager
async def infrastructure(folder: Path, *, apache: bool) -> AsyncIterator[Infrastructure]:
    """Run the stores, providers and proxies, with their data in the folder."""
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
        yield Infrastructure(running, providers, proxies)


def _provider_faults(seed: int) -> list[dict[str, Any]]:
    faults: list[dict[str, Any]] = [
        {"status": 500, "rate": 0.04},
        {"status": 429, "headers": {"Retry-After": "1"}, "rate": 0.03},
        {"drop": "before", "rate": 0.03},
        {"drop": "after", "rate": 0.05},
    ]
    return [{**fault, "times": None, "seed": seed + number} for number, fault in enumerate(faults)]
