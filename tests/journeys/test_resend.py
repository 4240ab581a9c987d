"""Unknown outcomes with MAILER_ON_UNKNOWN=resend."""

from pathlib import Path

import pytest

from tests.journeys.conftest import Providers
from tests.journeys.faulty_provider_system import faulty_provider_system
from tests.servers import Server

pytestmark = pytest.mark.journey


async def test_an_unknown_outcome_is_sent_again_where_the_settings_say_so(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with faulty_provider_system(
        tmp_path, kafka, mongodb, prefix, providers, MAILER_ON_UNKNOWN="resend"
    ) as system:
        await providers.sendgrid.inject_faults({"drop": "before", "times": 1})
        client = await system.agent.add("Again")
        await system.agent.task(client, "unknown")
        task = await system.agent.task(client, "sent")
        [entry] = system.mails(task)
        assert entry["custom_args"]["send_attempt"] == "2"
        assert system.alerts(task) == []
