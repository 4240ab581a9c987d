"""Passwords are hashed in threads of their own."""

import asyncio

from services.gateway.accounts.passwords import Passwords
from tests.services.gateway.loop_threads import all_threads_taken

SECONDS = 30


async def test_a_log_in_does_not_wait_for_what_else_runs_in_threads() -> None:
    passwords = Passwords()
    async with all_threads_taken(), asyncio.timeout(SECONDS):
        stored = await passwords.hash("correct horse battery")
        assert await passwords.verify("correct horse battery", stored)
        assert not await passwords.verify("another horse battery", stored)
        assert not await passwords.verify("correct horse battery", None)
