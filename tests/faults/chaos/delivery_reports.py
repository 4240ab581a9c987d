"""SendGrid's signed reports about accepted emails, posted until the webhook takes them.

Half of those who opt out use the link of their email.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from contracts.addresses import canonical_address
from tests.faults.checker.history import Acknowledged
from tests.faults.stops import Request, Stops
from tests.providers.running import FakeProvider
from tests.providers.webhook import PATH, Webhook, event

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
# The share of addresses that opt out after the first email.
_OPT_OUT_RATE = 0.08
_LINK_RATE = 0.5
# The share of unanswered calls that are reported as delivered, and how late: before or after
# mailer stops waiting for a report.
_REPORT_RATE = 0.5
_REPORTED_WITHIN_SECONDS = 4.0


@dataclass
class DeliveryReporter:
    """Follows SendGrid's ledger; reports opt-outs and the delivery of unanswered calls."""

    sendgrid: FakeProvider
    seed: int
    acknowledged: Acknowledged
    requests: Callable[[httpx2.AsyncClient], Request]
    gateways: Sequence[str] = ()
    violations: list[str] = field(default_factory=list)
    webhook: Webhook = field(default_factory=Webhook)
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    async def finish(self, seconds: float) -> None:
        """Start no more reports once somebody has opted out, or after so many seconds.

        Those who would may not have got their letters yet. `run` returns when the pending reports
        are taken.
        """
        deadline = time.monotonic() + seconds
        while not self.acknowledged.opt_outs and time.monotonic() < deadline:
            await asyncio.sleep(_PAUSE_SECONDS)
        self._done.set()

    async def run(self) -> None:
        """Report on each email that is accepted from now on."""
        seen = len(self.sendgrid.ledger())
        addresses: set[str] = set()
        async with (
            httpx2.AsyncClient(timeout=10, trust_env=False) as http,
            asyncio.TaskGroup() as posts,
        ):
            while not self._done.is_set():
                entries = self.sendgrid.ledger()
                for entry in entries[seen:]:
                    [address] = entry["to"]
                    draw = random.Random(f"{self.seed} {address} {entry['subject']}")
                    if entry["fault"] and draw.random() < _REPORT_RATE:
                        wait = draw.uniform(0, _REPORTED_WITHIN_SECONDS)
                        posts.create_task(self._report(http, "delivered", entry, wait))
                    draw = random.Random(f"{self.seed} {address}")
                    if address not in addresses and draw.random() < _OPT_OUT_RATE:
                        by_link = draw.random() < _LINK_RATE
                        posts.create_task(self._opt_out(http, entry, address, by_link=by_link))
                    addresses.add(address)
                seen = len(entries)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _opt_out(
        self, http: httpx2.AsyncClient, entry: dict[str, Any], address: str, *, by_link: bool
    ) -> None:
        if by_link:
            await Stops(self.requests(http), self.acknowledged).opt_out(entry)
        elif await self._report(http, "unsubscribe", entry, 0.0):
            self.acknowledged.opt_outs[canonical_address(address)] = datetime.now(UTC)

    async def _report(
        self, http: httpx2.AsyncClient, kind: str, entry: dict[str, Any], wait: float
    ) -> bool:
        """Post until the answer is 200; return whether it was in time."""
        await asyncio.sleep(wait)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for url in itertools.cycle(self.gateways):
            if time.monotonic() > deadline:
                break
            try:
                body, headers = self.webhook.request([event(kind, entry)])
                answer = await http.post(f"{url}{PATH}", content=body, headers=headers)
            except httpx2.TransportError:
                answer = None
            if answer and answer.status_code == 200:
                return True
            if answer and answer.status_code != 503:
                self.violations.append(f"the webhook answered {answer.status_code} {answer.text}")
                return False
            await asyncio.sleep(_PAUSE_SECONDS)
        self.violations.append(f"the webhook has not taken {kind} in {_PATIENCE_SECONDS:.0f} s")
        return False
