"""The providers that the journeys call over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.providers.running import FakeProvider, provider
from tests.system import provider_settings


@dataclass(frozen=True)
class Providers:
    """Fake OpenAI and SendGrid, with what they have accepted since this was created."""

    openai: FakeProvider
    sendgrid: FakeProvider

    @property
    def settings(self) -> dict[str, str]:
        """The settings that make the services call them."""
        return provider_settings(self.openai, self.sendgrid)


@pytest.fixture(scope="session")
async def providers_started(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[FakeProvider, FakeProvider]]:
    """One process each for the whole run; a call takes 20 ms, so that calls overlap."""
    folder = tmp_path_factory.mktemp("providers")
    async with (
        provider("openai", folder, delay_ms=20) as openai,
        provider("sendgrid", folder, delay_ms=20) as sendgrid,
    ):
        yield openai, sendgrid


@pytest.fixture(scope="module")
async def providers(providers_started: tuple[FakeProvider, FakeProvider]) -> Providers:
    """Providers without faults, with empty ledgers."""
    openai, sendgrid = providers_started
    return Providers(await openai.reset(), await sendgrid.reset())
