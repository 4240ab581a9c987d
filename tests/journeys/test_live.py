"""Live updates while gateways come and go, and state is built anew."""

import contextlib
import time
from pathlib import Path
from uuid import uuid4

import pytest

from ops.topics.rebuild import Rebuilding
from tests.ops.topics.recording import no_bar
from tests.servers import Server
from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import api_of
from tests.services.gateway.live_clients import Open, event_stream, hello, socket, some
from tests.system import AGENT, new_prefix, system

pytestmark = pytest.mark.journey


async def test_a_replica_that_applies_nothing_tells_the_same_and_a_swap_ends_no_stream(
    kafka: Server, mongodb: Server, prefix: str, tmp_path: Path
) -> None:
    # On the embedded broker a group of two gets stuck: the other one reads topics of its own.
    gateway = ("gateway",)
    async with (
        system(tmp_path / "one", kafka, mongodb, prefix=prefix, services=gateway) as running,
        system(tmp_path / "other", kafka, mongodb, prefix=new_prefix(), services=gateway) as idle,
        api_of(running.api[0], kafka, prefix) as api,
        event_stream(running.api[0]) as one,
        socket(idle.api[0]) as other,
    ):
        await hello(one)
        await hello(other)
        story = Story(AGENT, uuid4())
        await api.tell(story.planned())
        told = await some(one, 1)
        assert await some(other, 1) == told
        await Rebuilding("gateway", kafka.address, prefix, mongodb.address).swap(no_bar)
        # What the swap brought along and nobody had applied before is in the lists alone.
        reset = await one.next()
        assert reset.kind == "reset"
        assert await other.next() == reset
        await api.tell(story.due(0, 1), story.requested(0, 1))
        following = await some(one, 2)
        assert await some(other, 2) == following
        # Where one was left, the other goes on.
        async with event_stream(idle.api[0], reset.id) as again:
            assert await hello(again) == reset.id
            assert await some(again, 2) == following
        async with socket(idle.api[0], told[0].id) as before:
            assert await hello(before) == told[0].id
            assert (await before.next()).kind == "reset"
        assert running.errors() + idle.errors() == []


@pytest.mark.alone
async def test_open_streams_do_not_keep_a_gateway_from_its_stop(
    kafka: Server, mongodb: Server, prefix: str, tmp_path: Path
) -> None:
    async with (
        system(tmp_path, kafka, mongodb, prefix=prefix, services=("gateway",)) as running,
        contextlib.AsyncExitStack() as stack,
    ):
        url = running.api[0]
        streams = [await stack.enter_async_context(event_stream(url)) for _ in range(3)]
        sockets = [await stack.enter_async_context(socket(url)) for _ in range(3)]
        everyone: list[Open] = [*streams, *sockets]
        for stream in everyone:
            await hello(stream)
        started = time.monotonic()
        await running.stop("gateway")
        assert time.monotonic() - started < 5
        for stream in everyone:
            with pytest.raises(EOFError):
                await stream.next()
        assert {ws.connection.close_code for ws in sockets} == {1012}
        assert running.errors() == []
