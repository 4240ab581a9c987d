"""What SendGrid tells of the emails it accepted: signed reports, posted until they are taken."""

import asyncio
import base64
import itertools
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.faults.history import Acknowledged
from tests.providers.running import Fake

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
# Of the addresses, how many want no second email.
_OPT_OUTS = 0.08
# Of the emails that were accepted without an answer, how many are reported, and how late: before
# and after mailer stops waiting for a report.
_REPORTED = 0.5
_REPORTED_WITHIN_SECONDS = 4.0


@dataclass
class Reports:
    """Follows SendGrid's ledger and reports: opt-outs, and what became of unanswered calls."""

    sendgrid: Fake
    seed: int
    acknowledged: Acknowledged
    gateways: Sequence[str] = ()
    wrong: list[str] = field(default_factory=list)
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def public_key(self) -> str:
        """What SENDGRID_WEBHOOK_PUBLIC_KEY has to be."""
        raw = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(raw).decode()

    def finish(self) -> None:
        """Begin no more reports; `run` returns when those under way are taken."""
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
                    if entry["fault"] and draw.random() < _REPORTED:
                        wait = draw.uniform(0, _REPORTED_WITHIN_SECONDS)
                        posts.create_task(self._report(http, "delivered", entry, wait))
                    draw = random.Random(f"{self.seed} {address}")
                    if address not in addresses and draw.random() < _OPT_OUTS:
                        posts.create_task(self._opt_out(http, entry, address))
                    addresses.add(address)
                seen = len(entries)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _opt_out(self, http: httpx2.AsyncClient, entry: dict[str, Any], address: str) -> None:
        if await self._report(http, "unsubscribe", entry, 0.0):
            self.acknowledged.opt_outs[address.lower()] = datetime.now(UTC)

    async def _report(
        self, http: httpx2.AsyncClient, event: str, entry: dict[str, Any], wait: float
    ) -> bool:
        """Post until 200 is answered; tell whether it was in time."""
        await asyncio.sleep(wait)
        report = {
            "sg_event_id": f"{event}-{entry['message_id']}",
            "event": event,
            "timestamp": int(time.time()),
            "email": entry["to"][0],
            **entry["custom_args"],
        }
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for url in itertools.cycle(self.gateways):
            if time.monotonic() > deadline:
                break
            try:
                answer = await self._post(http, url, json.dumps([report]).encode())
            except httpx2.TransportError:
                answer = None
            if answer and answer.status_code == 200:
                return True
            if answer and answer.status_code != 503:
                self.wrong.append(f"the webhook answered {answer.status_code} {answer.text}")
                return False
            await asyncio.sleep(_PAUSE_SECONDS)
        self.wrong.append(f"the webhook has not taken {event} in {_PATIENCE_SECONDS:.0f} s")
        return False

    async def _post(self, http: httpx2.AsyncClient, url: str, body: bytes) -> httpx2.Response:
        timestamp = str(int(time.time()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        headers = {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
            "Content-Type": "application/json",
        }
        return await http.post(f"{url}/api/webhooks/sendgrid", content=body, headers=headers)
