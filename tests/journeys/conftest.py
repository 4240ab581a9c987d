"""The providers that the journeys call over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.providers.running import Fake, provider
from tests.system import provided_by


@dataclass(frozen=True)
class Providers:
    """Fake OpenAI and SendGrid, with what they have accepted since this was made."""

    openai: Fake
    sendgrid: Fake

    @property
    def settings(self) -> dict[str, str]:
        """What makes the services call them."""
        return provided_by(self.openai, self.sendgrid)


@pytest.fixture(scope="session")
async def providers_started(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[Fake, Fake]]:
    """One process each for the whole run; a call takes 20 ms, so that some are under way."""
    folder = tmp_path_factory.mktemp("providers")
    async with (
        provider("openai", folder, delay_ms=20) as openai,
        provider("sendgrid", folder, delay_ms=20) as sendgrid,
    ):
        yield openai, sendgrid


@pytest.fixture(scope="module")
async def providers(providers_started: tuple[Fake, Fake]) -> Providers:
    """Providers that behave, with empty ledgers."""
    openai, sendgrid = providers_started
    return Providers(await openai.from_here(), await sendgrid.from_here())
