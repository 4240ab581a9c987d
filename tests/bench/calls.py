"""`python -m tests.bench.calls`: what a call to each provider costs, by how many are in flight.

The fakes answer after 50 ms and are processes of their own. `COUNT` (2000) calls of each.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from chassis.calls.call_limit import CallLimit
from services.composer.writers.openai_writer import OpenAIWriter
from services.mailer.transports.sendgrid import SendGridTransport
from tests.providers.running import provider
from tests.services.composer.writers.requests import request
from tests.services.mailer.sample_letters import SENT_FROM, to_client

IN_FLIGHT = (32, 200)
_DELAY_SECONDS = 0.05
_TIMEOUT = 120.0

Call = Callable[[], Awaitable[Any]]


def _calls(openai: str, sendgrid: str) -> Mapping[str, tuple[Call, Call]]:
    """Return what calls and what closes, by the provider's name."""
    limit = CallLimit(max(IN_FLIGHT), max(IN_FLIGHT))
    writer = OpenAIWriter("sk-bench", openai, "gpt-bench", _TIMEOUT, limit)
    transport = SendGridTransport("SG.bench", sendgrid, SENT_FROM, _TIMEOUT, limit)
    return {
        "model": (lambda: writer.write(request()), writer.close),
        "email": (lambda: transport.send(to_client()), transport.close),
    }


async def _repeat(call: Call, times: int) -> None:
    for _ in range(times):
        await call()


async def main(console: Console, count: int) -> None:
    """Print CPU ms and calls per second; connections are there before it counts."""
    with tempfile.TemporaryDirectory(prefix="realtoros-bench-") as folder:
        path = Path(folder)
        async with provider("openai", path) as openai, provider("sendgrid", path) as sendgrid:
            for fake in (openai, sendgrid):
                await fake.inject_faults({"delay": _DELAY_SECONDS, "times": None})
            for name, (call, close) in _calls(openai.url, sendgrid.url).items():
                for in_flight in IN_FLIGHT:
                    each = count // in_flight
                    await asyncio.gather(*(_repeat(call, 1) for _ in range(in_flight)))
                    cpu, begun = time.process_time(), time.monotonic()
                    await asyncio.gather(*(_repeat(call, each) for _ in range(in_flight)))
                    ms = (time.process_time() - cpu) * 1000 / (each * in_flight)
                    rate = each * in_flight / (time.monotonic() - begun)
                    console.print(f"{name}, {in_flight} in flight: {ms:.2f} ms CPU, {rate:.0f}/s")
                await close()


if __name__ == "__main__":
    uvloop.run(main(Console(), int(os.environ.get("COUNT", "2000"))))
