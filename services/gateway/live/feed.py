"""The feed: what happens to agents' clients, from one change stream to all open connections.

The server tells every gateway of every line of the timeline, whichever replica wrote it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from uuid import UUID

import structlog
from pymongo.errors import PyMongoError

from chassis.mongo.change_stream import Inserted, Replaced, ResumeTokenLost, watch_inserts
from chassis.mongo.client import Database
from chassis.process import server as serving
from services.gateway.errors import TooManyRequests, Unavailable
from services.gateway.live.listener import CloseCode, Listener, LiveMessage
from services.gateway.read_models.timeline import TIMELINE, entries

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
OPENING_SECONDS = 2
STOP_SECONDS = 3
MOST_UNTOLD = 5000
# An agent's connections to one gateway.
MOST_OPEN = 1000
LOOK_SECONDS = 0.05
# How much of what a connection missed is fetched at a time, and for how many connections: after a
# restart all come at once. There is no waiting for more, since all of it is there.
PIECE, AT_ONCE = 500, 16
MISSED_WAIT_MS = 20

log = structlog.get_logger(__name__)


class Feed:
    """Tells all listeners; one per gateway process.

    All up to `position` has been told to those who listen. Nothing here is cancelled while it
    waits for MongoDB (mongo.run_to_completion says why): the tasks look at the flag.
    """

    def __init__(self, database: Database) -> None:
        self.position = ""
        self._database = database
        self._listeners: dict[UUID, set[Listener]] = {}
        # What is read and not told yet, and how far that is.
        self._untold: list[Inserted | Replaced] = []
        self._read = ""
        self._news = asyncio.Event()
        self._open = asyncio.Event()
        self._stop = asyncio.Event()
        self._fetching = asyncio.Semaphore(AT_ONCE)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the timeline. All connections end as soon as the process is told to stop."""
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._tell())]
        for task in tasks:
            task.add_done_callback(serving.stop_if_failed)
        with serving.on_stop(self.stop):
            try:
                yield
            finally:
                self.stop()
                for task in tasks:
                    task.remove_done_callback(serving.stop_if_failed)
                await asyncio.wait(tasks, timeout=STOP_SECONDS)

    def stop(self) -> None:
        """End all connections, and take no more."""
        self._stop.set()
        self._news.set()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end(CloseCode.STOPPED)

    async def opened(self, agent_id: UUID) -> None:
        """Return when there is a position.

        Raises TooManyRequests when the agent has as many connections here as he may, Unavailable when there
        is no position in time.
        """
        if len(self._listeners.get(agent_id, ())) > MOST_OPEN:
            raise TooManyRequests(LONGEST_PAUSE)
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                await self._open.wait()
        except TimeoutError as error:
            raise Unavailable from error

    @contextlib.contextmanager
    def listening(self, agent_id: UUID) -> Iterator[Listener]:
        """Listen to what happens to the agent's clients after `position`."""
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
        """Give what happened between two places, or the first of it; and how far that is.

        Raises ResumeTokenLost, PyMongoError.
        """
        found: list[Inserted] = []
        async with (
            self._fetching,
            watch_inserts(
                self._database, TIMELINE.collection, after, MISSED_WAIT_MS, agent_id=agent_id
            ) as inserts,
        ):
            while (position := inserts.position) < until and len(found) < PIECE:
                if (change := await inserts.next()) and change.token <= until:
                    if isinstance(change, Replaced):
                        raise ResumeTokenLost("a replay was swapped in")
                    found.append(change)
        told = await self._in_words(found)
        return [told[inserted.token] for inserted in found], position

    async def _follow(self) -> None:
        """Read the timeline's change stream, opened anew where it was after each outage."""
        after: str | None = None
        lost, pause = False, FIRST_PAUSE
        while not self._stop.is_set():
            try:
                async with watch_inserts(self._database, TIMELINE.collection, after) as inserts:
                    if lost:
                        self._untold.append(Replaced(inserts.position))
                    lost, pause = False, FIRST_PAUSE
                    while not self._stop.is_set():
                        after = self._read = inserts.position
                        self._news.set()
                        if change := await inserts.next():
                            self._untold.append(change)
                        while len(self._untold) >= MOST_UNTOLD and not self._stop.is_set():
                            await asyncio.sleep(LOOK_SECONDS)
            except ResumeTokenLost as error:
                log.warning("feed_lost", error=str(error))
                after, lost = None, True
            except PyMongoError as error:
                log.warning("feed_away", error=type(error).__name__)
            await self._rest(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    async def _tell(self) -> None:
        """Tell what is read, all that there is at a time."""
        while True:
            await self._news.wait()
            self._news.clear()
            untold, self._untold, read = self._untold, [], self._read
            told: dict[str, LiveMessage] = {}
            # Meanwhile somebody else may begin to listen.
            while unknown := [
                each
                for each in untold
                if isinstance(each, Inserted)
                and each.token not in told
                and each.document["agent_id"] in self._listeners
            ]:
                try:
                    told |= await self._in_words(unknown)
                except PyMongoError as error:
                    log.warning("feed_away", error=type(error).__name__)
                    await self._rest(FIRST_PAUSE)
                if self._stop.is_set():
                    return
            if self._stop.is_set():
                return
            # From here on at one stroke: who begins to listen goes on from the new position.
            for each in untold:
                if isinstance(each, Replaced):
                    for listener in [one for some in self._listeners.values() for one in some]:
                        listener.tell(LiveMessage("reset", each.token))
                else:
                    for listener in self._listeners.get(each.document["agent_id"], ()):
                        listener.tell(told[each.token])
            self.position = read
            self._open.set()

    async def _in_words(self, inserted: Sequence[Inserted]) -> dict[str, LiveMessage]:
        shown = await entries(self._database, [each.document for each in inserted])
        return {
            each.token: LiveMessage("timeline", each.token, entry.model_dump_json())
            for each, entry in zip(inserted, shown, strict=True)
        }

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
