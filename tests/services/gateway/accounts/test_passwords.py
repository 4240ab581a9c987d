"""Passwords are hashed in threads of their own."""

import asyncio
import subprocess
import sys

from services.gateway.accounts.passwords import Passwords
from tests.services.gateway.loop_threads import all_threads_taken

SECONDS = 30
NICE_HASHING = """
import os, threading
from services.gateway.accounts.passwords import Passwords
niceness = lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
os.setpriority(os.PRIO_PROCESS, 0, 10)
print(niceness(), Passwords()._threads.submit(niceness).result())
"""


async def test_a_log_in_does_not_wait_for_what_else_runs_in_threads() -> None:
    passwords = Passwords()
    async with all_threads_taken(), asyncio.timeout(SECONDS):
        stored = await passwords.hash("correct horse battery")
        assert await passwords.verify("correct horse battery", stored)
        assert not await passwords.verify("another horse battery", stored)
        assert not await passwords.verify("correct horse battery", None)


def test_hashing_gives_way_in_a_process_that_is_nice_already() -> None:
    # Without rights a thread cannot become less nice than it is.
    found = subprocess.run(
        [sys.executable, "-c", NICE_HASHING], check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == ["10", "15"]
