"""Live updates while gateways stop and start, and while state is rebuilt."""

import contextlib
import time
from pathlib import Path
from uuid import uuid4

import pytest

from ops.topics.rebuild import Rebuild
from tests.ops.topics.recording import no_bar
from tests.servers import Server
from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import api_of
from tests.services.gateway.live_clients import Open, event_stream, hello, socket, some
from tests.system import AGENT, new_prefix, system

pytestmark = pytest.mark.journey


async def test_a_replica_that_applies_nothing_sends_the_same_and_a_swap_ends_no_stream(
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
        await api.publish(story.planned())
        received = await some(one, 1)
        assert await some(other, 1) == received
        await Rebuild("gateway", kafka.servers, prefix, mongodb.address).swap(no_bar)
        # What the swap has added is in the lists alone.
        reset = await one.next()
        assert reset.kind == "reset"
        assert await other.next() == reset
        await api.publish(story.due(0, 1), story.requested(0, 1))
        following = await some(one, 2)
        assert await some(other, 2) == following
        # A client resumes on another replica.
        async with event_stream(idle.api[0], reset.id) as again:
            assert await hello(again) == reset.id
            assert await some(again, 2) == following
        async with socket(idle.api[0], received[0].id) as before:
            assert await hello(before) == received[0].id
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
        streams_and_sockets: list[Open] = [*streams, *sockets]
        for stream in streams_and_sockets:
            await hello(stream)
        started = time.monotonic()
        await running.stop("gateway")
        assert time.monotonic() - started < 5
        for stream in streams_and_sockets:
            with pytest.raises(EOFError):
                await stream.next()
        assert {ws.connection.close_code for ws in sockets} == {1012}
        assert running.errors() == []
