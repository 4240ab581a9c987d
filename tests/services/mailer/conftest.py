"""Fixtures of mailer's tests."""

from collections.abc import AsyncIterator

import pytest

from chassis.eventlog.event_store import EventLog
from services.mailer.documents import STORE
from tests.chassis.flushing_log import flushing_log
from tests.servers import Server


@pytest.fixture
async def log(mongodb_server: Server) -> AsyncIterator[EventLog]:
    """An empty log that flushes."""
    async with flushing_log(mongodb_server, STORE) as log:
        yield log
