"""Attacks by one agent or from one address: `python -m tests.faults.attacks.attackers NAME`.

Reads a Target as JSON from standard input, prints "attacking" and attacks until it is killed.
"""

import asyncio
import base64
import contextlib
import json
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 1500
STREAMS = 900
# From where the attacks come; honest requests come from other loopback addresses.
SOURCE = "127.0.0.1"
CHUNKED = "transfer-encoding: chunked\r\n"
_LOGIN = "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


@dataclass(frozen=True)
class Target:
    """The gateway, an agent's API key, and a position far back for that agent's streams."""

    host: str
    port: int
    key: str
    last_event_id: str


Attack = Callable[[Target], Awaitable[None]]


@contextlib.asynccontextmanager
async def _connected(target: Target) -> Any:
    reader, writer = await asyncio.open_connection(target.host, target.port, local_addr=(SOURCE, 0))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _again(attack: Attack, target: Target, times: int, pause: float = 0.05) -> None:
    """Attack on so many connections at once, and again whenever one is closed."""

    async def keep_attacking() -> None:
        while True:
            with contextlib.suppress(OSError, EOFError):
                await attack(target)
            await asyncio.sleep(pause)

    await asyncio.gather(*(keep_attacking() for _ in range(times)))


async def _send_endlessly(target: Target, first: str, piece: bytes, pause: float) -> None:
    async with _connected(target) as (reader, writer):
        writer.write(first.encode())
        closed = asyncio.create_task(reader.read())
        try:
            while not closed.done():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        finally:
            await asyncio.gather(closed, return_exceptions=True)


async def _hold(target: Target, sent: str) -> None:
    async with _connected(target) as (reader, writer):
        writer.write(sent.encode())
        await reader.read()


async def trailers(target: Target) -> None:
    """Send trailers without end."""
    head = f"{_LOGIN}{CHUNKED}\r\n0\r\n"
    fields = b"".join(b"trailer-%d: %s\r\n" % (n, b"x" * 100) for n in range(500))

    async def one(target: Target) -> None:
        await _send_endlessly(target, head, fields, 0)

    await _again(one, target, 8)


async def silent_connections(target: Target) -> None:
    """Open connections and say nothing."""

    async def one(target: Target) -> None:
        await _hold(target, "")

    await _again(one, target, CONNECTIONS, 1)


async def half_heads(target: Target) -> None:
    """Begin requests and do not go on."""

    async def one(target: Target) -> None:
        await _hold(target, "GET /api/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bea")

    await _again(one, target, CONNECTIONS, 1)


async def slow_bodies(target: Target) -> None:
    """Send a byte of a body now and then."""

    async def one(target: Target) -> None:
        await _send_endlessly(target, f"{_LOGIN}content-length: 10000\r\n\r\n", b" ", 2)

    await _again(one, target, CONNECTIONS, 1)


async def streams(target: Target) -> None:
    """Resume streams from far back, all at once."""
    head = (
        f"GET /api/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {target.key}\r\n"
        f"last-event-id: {target.last_event_id}\r\n\r\n"
    )

    async def one(target: Target) -> None:
        async with _connected(target) as (reader, writer):
            writer.write(head.encode())
            status = await reader.readline()
            while await reader.read(65_536) and b" 200 " in status:
                pass

    await _again(one, target, STREAMS, 1)


async def hostile_files(target: Target) -> None:
    """Upload files that are costly to parse, and hang up at once."""
    head = (
        "POST /api/clients/import HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\n"
        f"authorization: Bearer {target.key}\r\n"
    )
    files = [b"name,email\n" + b'a","b\n' * 200_000, b"a," * 600_000, b'"' * 1_200_000]

    async def one(target: Target) -> None:
        file = secrets.choice(files)
        async with _connected(target) as (_, writer):
            writer.write(f"{head}content-length: {len(file)}\r\n\r\n".encode())
            writer.write(file)
            await writer.drain()
            await asyncio.sleep(secrets.randbelow(500) / 1000)

    await _again(one, target, 6)


async def forged_webhooks(target: Target) -> None:
    """Post reports with a signature that is none, as fast as they are answered."""
    body = json.dumps([{"sg_event_id": "1", "event": "unsubscribe"}] * 1000).encode()
    head = (
        "POST /api/webhooks/sendgrid HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"X-Twilio-Email-Event-Webhook-Signature: {base64.b64encode(b'forged').decode()}\r\n"
        f"X-Twilio-Email-Event-Webhook-Timestamp: 1\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    await _again(_posting(head.encode() + body), target, 8)


async def wrong_log_ins(target: Target) -> None:
    """Guess passwords, as fast as they are answered."""
    body = json.dumps({"email": "agent@realtoros.example", "password": "not the password"})
    request = f"{_LOGIN}content-length: {len(body)}\r\n\r\n{body}"
    await _again(_posting(request.encode()), target, 20)


def _posting(request: bytes) -> Attack:
    async def one(target: Target) -> None:
        async with _connected(target) as (reader, writer):
            while True:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                await reader.readexactly(length)

    return one


ATTACKS: Mapping[str, Attack] = {
    attack.__name__.replace("_", " "): attack
    for attack in (
        *(trailers, silent_connections, half_heads, slow_bodies),
        *(streams, hostile_files, forged_webhooks, wrong_log_ins),
    )
}


async def main(name: str) -> None:
    """Attack until killed."""
    target = Target(**json.loads(sys.stdin.readline()))
    print("attacking", flush=True)  # noqa: T201 - the parent process reads this
    await ATTACKS[name](target)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
