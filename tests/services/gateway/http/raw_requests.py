"""Requests as they are written, which an HTTP client would tidy up or unpack."""

import asyncio
import gzip
from dataclasses import dataclass
from urllib.parse import urlsplit

import cramjam

SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """An answer whose body is as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(url: str, target: str, method: str = "GET", **headers: str) -> Answer:
    """Send the request to the server of the URL; `accept_encoding` becomes Accept-Encoding."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join((f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *lines))
    writer.write(f"{head}\r\n\r\n".encode("latin-1"))
    async with asyncio.timeout(SECONDS):
        answer = await reader.read()
    writer.close()
    head_bytes, _, body = answer.partition(b"\r\n\r\n")
    status, *rest = head_bytes.decode("latin-1").split("\r\n")
    named = (line.partition(": ") for line in rest)
    return Answer(int(status.split()[1]), {name.lower(): value for name, _, value in named}, body)


def unpacked(answer: Answer) -> bytes:
    """Return the body without its content coding."""
    match answer.headers.get("content-encoding"):
        case None:
            return answer.body
        case "gzip":
            return gzip.decompress(answer.body)
        case "br":
            return bytes(cramjam.brotli.decompress(answer.body))
        case "zstd":
            return bytes(cramjam.zstd.decompress(answer.body))
        case other:
            raise AssertionError(f"coding {other}")
