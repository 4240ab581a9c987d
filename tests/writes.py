"""Writes through the API as a careful caller makes them: 202 is a legal answer, and waited for."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx2

SECONDS = 90.0


async def carried_out(
    http: httpx2.AsyncClient,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
) -> httpx2.Response:
    """Post until the write is carried out or refused; return that answer.

    Sent again with the same Idempotency-Key, it is one write.
    """
    headers = {"Idempotency-Key": key or str(uuid4())}
    deadline = time.monotonic() + SECONDS
    while True:
        response = await http.post(path, json=body, headers=headers)
        if response.status_code != httpx2.codes.ACCEPTED:
            return response
        assert time.monotonic() < deadline, f"pending for {SECONDS:.0f} s: POST {path}"
        await asyncio.sleep(0.1)
