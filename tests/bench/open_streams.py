"""Holds event streams open: `python -m tests.bench.open_streams URL COUNT AUTHORIZATION …`.

COUNT of each authorization. Prints "open" once all have had their first event; exits with its
input. A stream that ends is an error.
"""

import asyncio
import os
import sys
from typing import Any
from urllib.parse import urlsplit


async def main(url: str, count: str, *authorizations: str) -> None:
    """Open the streams and read them until the input ends."""
    by_whom = authorizations * int(count)
    opened = [asyncio.Event() for _ in by_whom]
    streams = [_read(url, whose, each) for whose, each in zip(by_whom, opened, strict=True)]
    watching: asyncio.Future[Any] = asyncio.gather(*streams)
    greeted: asyncio.Future[Any] = asyncio.create_task(_greeted(opened))
    await asyncio.wait({watching, greeted}, return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        watching.result()
    print("open", flush=True)  # noqa: T201 - the parent process reads this
    ended: asyncio.Future[Any] = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    await asyncio.wait({watching, ended}, return_when=asyncio.FIRST_COMPLETED)
    os._exit(1 if watching.done() else 0)


async def _greeted(opened: list[asyncio.Event]) -> None:
    for each in opened:
        await each.wait()


async def _read(url: str, authorization: str, greeted: asyncio.Event) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(
        f"GET {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\n"
        f"Authorization: {authorization}\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    while line := await reader.readline():
        if line.startswith(b"event: hello"):
            greeted.set()
    raise EOFError("a stream has ended")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
