"""Live updates on real servers: to whom they are told, in which order, and after a cut."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import pytest

from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.live_clients import Message, event_stream, hello, socket, some
from tests.system import AGENT

Opening = Callable[..., AbstractAsyncContextManager[Any]]
WAYS = pytest.mark.parametrize("opening", [event_stream, socket], ids=["sse", "ws"])
EVENTS = 200


def url_of(api: Api) -> str:
    return str(api.http.base_url).rstrip("/")


async def open_often(api: Api, story: Story, times: int) -> None:
    for _ in range(times):
        await api.publish(story.opened(0, 1))


@WAYS
async def test_what_happens_is_told_to_its_agent_as_the_timeline_shows_it(
    api: Api, opening: Opening
) -> None:
    own, foreign = Story(AGENT, await api.add(name="Maria")), Story(uuid4(), uuid4())
    await api.get_until(f"/api/clients/{own.client}/timeline", lambda r: len(r.json()) == 1)
    async with opening(url_of(api)) as stream:
        await hello(stream)
        await api.publish(foreign.planned(), foreign.due(0, 1), own.planned(), own.due(0, 1))
        first, second = await some(stream, 2)
    told = await api.http.get(f"/api/clients/{own.client}/timeline")
    assert [second.data, first.data] == told.json()[:2]
    assert second.data["words"] == "Follow-up Day 1 is due"
    assert second.data["client_name"] == "Maria"
    assert first.id < second.id


async def test_streams_say_what_they_are(api: Api) -> None:
    async with event_stream(url_of(api)) as stream:
        headers = stream.response.headers
        assert headers["content-type"].split(";")[0] == "text/event-stream"
        assert headers["cache-control"] == "no-store"
    async with socket(url_of(api)) as ws:
        assert ws.connection.subprotocol == "realtoros"
    schema = (await api.http.get("/schema/openapi.json")).json()
    [operation] = schema["paths"]["/api/events"].values()
    assert "`reset`" in operation["description"]
    assert "Last-Event-ID" in {parameter["name"] for parameter in operation["parameters"]}


@WAYS
async def test_who_has_got_nothing_yet_can_go_on_from_the_hello(api: Api, opening: Opening) -> None:
    story = Story(AGENT, await api.add())
    await api.get_until(f"/api/clients/{story.client}/timeline", lambda r: len(r.json()) == 1)
    async with opening(url_of(api)) as stream:
        start = await hello(stream)
    await api.publish(story.planned(), story.due(0, 1))
    await api.get_until(f"/api/clients/{story.client}/timeline", lambda r: len(r.json()) == 3)
    async with opening(url_of(api), start) as stream:
        assert await hello(stream) == start
        told = await some(stream, 2)
    assert [message.data["type"] for message in told] == ["FollowupsPlanned", "FollowupDue"]


async def test_cuts_while_events_flow_leave_neither_gap_nor_repeat(api: Api) -> None:
    story = Story(AGENT, await api.add())
    await api.publish(story.queued(0, 1))
    await api.get_until(f"/api/clients/{story.client}/timeline", lambda r: len(r.json()) == 2)
    url = url_of(api)
    async with event_stream(url) as uncut, socket(url) as other:
        last = await hello(uncut)
        await hello(other)
        flowing = asyncio.create_task(open_often(api, story, EVENTS))
        told: list[Message] = []
        cut = 0
        while len(told) < EVENTS:
            cut += 1
            opening: Opening = (event_stream, socket)[cut % 2]
            async with opening(url, last) as stream:
                assert await hello(stream) == last
                told += await some(stream, min(1 + cut % 23, EVENTS - len(told)))
                last = told[-1].id
        await flowing
        assert told == await some(uncut, EVENTS) == await some(other, EVENTS)
    assert cut > 10
    assert len({message.data["id"] for message in told}) == EVENTS
    ids = [message.id for message in told]
    assert ids == sorted(ids)


@WAYS
@pytest.mark.parametrize("last", ["nonsense", "82" + "0" * 30, "F" * 40])
async def test_who_cannot_go_on_is_told_so_and_goes_on_from_now(
    api: Api, opening: Opening, last: str
) -> None:
    story = Story(AGENT, await api.add())
    await api.get_until(f"/api/clients/{story.client}/timeline", lambda r: len(r.json()) == 1)
    async with opening(url_of(api), last) as stream:
        await hello(stream)
        reset = await stream.next()
        assert (reset.kind, reset.data) == ("reset", {})
        await api.publish(story.planned())
        [planned] = await some(stream, 1)
    assert planned.data["type"] == "FollowupsPlanned"
    assert planned.id > reset.id
