"""The consumer of topics that grow: it fetches at a pace and returns only with records."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer

from chassis.process.pacing import PACE_SECONDS, Pace

# How long one look into aiokafka's buffer waits for records.
IDLE_MS = 500
MAX_HOLD_STEPS = 16

# Seeks partitions that have just been assigned; returns whether there were any.
SeekAssigned = Callable[[AIOKafkaConsumer], Awaitable[bool]]


class PacedConsumer(AIOKafkaConsumer):
    """Keeps fetches up to `pace_seconds` apart: records come in batches, from all partitions.

    `empty_hold_ms` is for the embedded broker, which answers an empty fetch at once instead of
    waiting for records: the longer nothing comes, the nearer to it fetches are apart.
    `seek_assigned` is awaited before records are returned; those that were fetched from positions
    which it then changed are dropped.
    """

    def __init__(
        self,
        *topics: str,
        empty_hold_ms: int = 0,
        pace_seconds: float = PACE_SECONDS,
        seek_assigned: SeekAssigned | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*topics, **options)  # type: ignore[no-untyped-call]
        self._pace = Pace(pace_seconds)
        self._empty_hold_ms = empty_hold_ms
        self._empty_fetches = 0
        self._seek_assigned = seek_assigned or _keep_positions
        self._fetch: Callable[..., Awaitable[bool]]

    async def start(self) -> None:
        """Connect, and join the group if there is one. Raises KafkaConnectionError."""
        await super().start()  # type: ignore[no-untyped-call]
        # aiokafka has no setting for a pace.
        fetcher: Any = self._fetcher
        self._fetch = fetcher._proc_fetch_request  # noqa: SLF001
        fetcher._proc_fetch_request = self._fetch_at_pace  # noqa: SLF001

    async def getmany(
        self,
        *partitions: Any,
        timeout_ms: int = 0,
        max_records: int | None = None,
    ) -> Any:
        """Return records by partition as soon as there are any, however long `timeout_ms` is.

        FastStream sleeps for as long again after a poll that found nothing, so records that come
        meanwhile would wait, and an idle service would poll all day.
        """
        records: dict[Any, Any] = {}
        while await self._seek_assigned(self) or not records:
            records = await super().getmany(
                *partitions, timeout_ms=IDLE_MS, max_records=max_records
            )
        self._pace.took(sum(map(len, records.values())))
        return records

    async def _fetch_at_pace(self, assignment: Any, node_id: Any, request: Any) -> bool:
        found = False
        # As aiokafka's own does: a stop and a rebalance cancel it, and await it unguarded.
        with contextlib.suppress(asyncio.CancelledError):
            await self._pace.turn()
            found = await self._fetch(assignment, node_id, request)
            self._empty_fetches = 0 if found else min(self._empty_fetches + 1, MAX_HOLD_STEPS)
            if self._empty_fetches and self._empty_hold_ms:
                share = (self._empty_fetches / MAX_HOLD_STEPS) ** 2
                await asyncio.sleep(self._empty_hold_ms / 1000 * share)
        return found


async def _keep_positions(_consumer: AIOKafkaConsumer) -> bool:
    return False
