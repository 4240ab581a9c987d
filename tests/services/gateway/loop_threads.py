"""The event loop's own threads, all taken."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

# More than the loop has: asyncio.to_thread waits for one of these to end.
THREADS = 64


@contextlib.asynccontextmanager
async def all_threads_taken() -> AsyncIterator[None]:
    """Let nothing run in the loop's threads meanwhile."""
    free = threading.Event()
    loop = asyncio.get_running_loop()
    waiting = [loop.run_in_executor(None, free.wait) for _ in range(THREADS)]
    try:
        yield
    finally:
        free.set()
        await asyncio.gather(*waiting)
