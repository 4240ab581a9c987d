"""Passwords: argon2id with RFC 9106's parameters for little memory, off the event loop."""

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from chassis.process.fair_slots import FairSlots

# A hash takes 64 MiB and a core for a while: a burst of log-ins must not exhaust them.
_MAX_CONCURRENT, _MAX_OF_NETWORK = 2, 1
_NICENESS = 5


class Passwords:
    """Makes and verifies hashes, a few at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        # Of its own: in the loop's threads a log-in would wait for whatever else runs there.
        self._threads = ThreadPoolExecutor(_MAX_CONCURRENT, "passwords", _give_way)
        self._slots = FairSlots(_MAX_CONCURRENT, _MAX_OF_NETWORK)
        self._dummy_hash = self._hasher.hash("the password of no account")

    async def hash(self, password: str, network: str | None = None) -> str:
        """Return the hash to store. What one network asks for waits for its own turn."""
        loop = asyncio.get_running_loop()
        async with self._slots.slot(network or object()):
            return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None, network: str | None = None) -> bool:
        """Return whether the password matches; without a hash, False after the same time."""
        loop = asyncio.get_running_loop()
        async with self._slots.slot(network or object()):
            return await loop.run_in_executor(self._threads, self._verify, password, stored)

    def needs_rehash(self, stored: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, password: str, stored: str | None) -> bool:
        try:
            self._hasher.verify(stored or self._dummy_hash, password)
        except VerifyMismatchError:
            return False
        return stored is not None


def _give_way() -> None:
    """Let this thread, and those that argon2 starts from it, come after the event loop."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        # More than the process has: without rights, niceness can only grow.
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, niceness)
