"""Unknown outcomes where the settings say that they are sent again."""

from pathlib import Path

import pytest

from tests.journeys.conftest import Providers
from tests.journeys.failing_providers import scene
from tests.servers import Server

pytestmark = pytest.mark.journey


async def test_where_the_settings_say_so_an_unknown_outcome_is_sent_again_by_itself(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str, providers: Providers
) -> None:
    async with scene(
        tmp_path, kafka, mongodb, prefix, providers, MAILER_ON_UNKNOWN="resend"
    ) as here:
        await providers.sendgrid.order({"drop": "before", "times": 1})
        client = await here.agent.add("Again")
        await here.agent.task(client, "unknown")
        task = await here.agent.task(client, "sent")
        [entry] = here.mails(task)
        assert entry["custom_args"]["attempt"] == "2"
        assert here.alerts(task) == []
