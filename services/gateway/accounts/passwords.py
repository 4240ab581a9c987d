"""Passwords: argon2id with the parameters of RFC 9106 for little memory, off the event loop."""

import asyncio
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from pydantic import Field

Password = Annotated[str, Field(min_length=12, max_length=200, examples=["correct horse battery"])]
# A hash takes 64 MiB and a core for a while: a burst of log-ins must not take all of both.
_AT_ONCE = 2


class Passwords:
    """Makes and checks hashes, a few at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._of_nobody = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        """Give what may be stored."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, stored: str | None) -> bool:
        """Tell whether it is the password; takes the same time where there is none to compare."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, password, stored)

    def is_dated(self, stored: str) -> bool:
        """Tell whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _fits(self, password: str, stored: str | None) -> bool:
        try:
            self._hasher.verify(stored or self._of_nobody, password)
        except VerifyMismatchError:
            return False
        return stored is not None
