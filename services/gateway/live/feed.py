"""The feed: the timeline's changes, from one change stream to all open connections.

MongoDB sends every gateway every line of the timeline, whichever replica wrote it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import UUID

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.change_stream import Inserted, Replaced, ResumeTokenLost, watch_inserts
from chassis.mongo.client import Database
from chassis.process import server
from chassis.process.backoff import Backoff
from chassis.process.fair_slots import FairSlots
from services.gateway.errors import TooManyRequests, Unavailable
from services.gateway.live.listener import CloseCode, Listener, LiveMessage
from services.gateway.read_models.timeline import TIMELINE, to_entries

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
OPENING_SECONDS = 2
STOP_SECONDS = 3
MAX_UNSENT = 5000
# Of an agent, to one gateway.
MAX_STREAMS = 20
CHECK_SECONDS = 0.05
# How many missed messages are fetched at a time, and for how many connections at once, in all and
# of one agent: after a restart all reconnect. The wait is short, since all that was missed is
# stored already.
MISSED_BATCH, MISSED_AT_ONCE, MISSED_AT_ONCE_EACH = 500, 16, 2
MISSED_WAIT_MS = 20

log = structlog.get_logger(__name__)


class Feed:
    """Sends messages to all listeners. One per gateway process.

    All messages up to `position` have been sent. Nothing here is cancelled while it waits for
    MongoDB (mongo.run_to_completion says why): the tasks check the flag.
    """

    def __init__(self, database: Database) -> None:
        self.position = ""
        self._database = database
        self._listeners: dict[UUID, set[Listener]] = {}
        # What is read and not sent yet, and the position read up to.
        self._unsent: list[Inserted | Replaced] = []
        self._read = ""
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._fetching = FairSlots(MISSED_AT_ONCE, MISSED_AT_ONCE_EACH)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the timeline. All connections end as soon as the process begins to stop."""
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._broadcast())]
        for task in tasks:
            task.add_done_callback(server.stop_if_failed)
        with server.on_stop(self.stop):
            try:
                yield
            finally:
                self.stop()
                for task in tasks:
                    task.remove_done_callback(server.stop_if_failed)
                await asyncio.wait(tasks, timeout=STOP_SECONDS)

    def stop(self) -> None:
        """End all connections, and accept no more."""
        self._stop.set()
        self._changed.set()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end(CloseCode.STOPPED)

    async def admit(self, agent_id: UUID) -> None:
        """Return once there is a position, for a connection to begin.

        Raises TooManyRequests when the agent has too many connections here, Unavailable when there
        is no position in time.
        """
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                await self._ready.wait()
        except TimeoutError as error:
            raise Unavailable from error
        self._check_share(agent_id)

    @contextlib.contextmanager
    def listening(self, agent_id: UUID) -> Iterator[Listener]:
        """Listen to the agent's messages after `position`.

        Raises TooManyRequests: others may have been admitted since.
        """
        self._check_share(agent_id)
        listener = Listener(agent_id)
        if self._stop.is_set():
            listener.end(CloseCode.STOPPED)
        others = self._listeners.setdefault(agent_id, set())
        others.add(listener)
        try:
            yield listener
        finally:
            others.discard(listener)
            if not others:
                self._listeners.pop(agent_id, None)

    async def missed(self, agent_id: UUID, after: str, until: str) -> tuple[list[LiveMessage], str]:
        """Return the messages between two positions, or the first of them, and the last position.

        Raises ResumeTokenLost, PyMongoError.
        """
        found: list[Inserted] = []
        async with (
            self._fetching.slot(agent_id),
            watch_inserts(
                self._database, TIMELINE.collection, after, MISSED_WAIT_MS, agent_id=agent_id
            ) as inserts,
        ):
            while (position := inserts.position) < until and len(found) < MISSED_BATCH:
                if (change := await inserts.next()) and change.token <= until:
                    if isinstance(change, Replaced):
                        raise ResumeTokenLost("a replay was swapped in")
                    found.append(change)
        messages = await self._messages(found)
        return [messages[inserted.token] for inserted in found], position

    def _check_share(self, agent_id: UUID) -> None:
        if len(self._listeners.get(agent_id, ())) >= MAX_STREAMS:
            raise TooManyRequests(LONGEST_PAUSE)

    async def _follow(self) -> None:
        """Read the timeline's change stream, resumed after each outage."""
        after: str | None = None
        lost, backoff = False, Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while not self._stop.is_set():
            try:
                async with watch_inserts(self._database, TIMELINE.collection, after) as inserts:
                    if lost:
                        self._unsent.append(Replaced(inserts.position))
                    lost = False
                    backoff.reset()
                    while not self._stop.is_set():
                        after = self._read = inserts.position
                        self._changed.set()
                        if change := await inserts.next():
                            self._unsent.append(change)
                        while len(self._unsent) >= MAX_UNSENT and not self._stop.is_set():
                            await asyncio.sleep(CHECK_SECONDS)
            except ResumeTokenLost as error:
                log.warning("feed_lost", error=str(error))
                after, lost = None, True
            except PyMongoError as error:
                log.warning("feed_away", error=type(error).__name__)
            await self._rest(backoff.next())

    async def _broadcast(self) -> None:
        """Send what is read, all of it at a time."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            unsent, self._unsent, read = self._unsent, [], self._read
            messages: dict[str, LiveMessage] = {}
            # While messages are made, further agents may begin to listen.
            while missing := [
                each
                for each in unsent
                if isinstance(each, Inserted)
                and each.token not in messages
                and each.document["agent_id"] in self._listeners
            ]:
                try:
                    messages |= await self._messages(missing)
                except PyMongoError as error:
                    log.warning("feed_away", error=type(error).__name__)
                    await self._rest(FIRST_PAUSE)
                if self._stop.is_set():
                    return
            if self._stop.is_set():
                return
            # No await from here on: who begins to listen after this begins at the new position.
            for each in unsent:
                if isinstance(each, Replaced):
                    for listener in [one for some in self._listeners.values() for one in some]:
                        listener.send(LiveMessage("reset", each.token))
                else:
                    for listener in self._listeners.get(each.document["agent_id"], ()):
                        listener.send(messages[each.token])
            self.position = read
            self._ready.set()

    async def _messages(self, inserted: Sequence[Inserted]) -> dict[str, LiveMessage]:
        lines = await to_entries(self._database, [each.document for each in inserted])
        return {
            each.token: LiveMessage("timeline", each.token, entry.model_dump_json())
            for each, entry in zip(inserted, lines, strict=True)
        }

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
