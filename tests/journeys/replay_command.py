"""`realtoros replay` as an operator runs it, and its effects on the collections."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from pymongo import AsyncMongoClient

from chassis.mongo.client import Database, database_name
from contracts.services import Service
from tests.journeys.disaster_system import DisasterSystem

# Holding: it catches up while writes are held. Swapping: it can only be finished.
Phase = Literal["none", "building", "holding", "swapping"]
_COMMAND = (sys.executable, "-P", "-m", "ops.cli", "replay")


async def start_replay(
    system: DisasterSystem, service: Service, *options: str
) -> asyncio.subprocess.Process:
    """Start `realtoros replay` of the service."""
    process = system.running.processes[service][0]
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        service,
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=system.running.folder,
        env=process.environment,
    )


async def run_replay(system: DisasterSystem, service: Service, *options: str) -> str:
    """Run `realtoros replay` of the service, assert that it succeeds, and return its output."""
    process = await start_replay(system, service, *options)
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{service} {options}: {output.decode()}"
    return output.decode()


async def collections(system: DisasterSystem, service: Service) -> Mapping[str, Mapping[str, Any]]:
    """Return the service's collections by name; a recreated one has another uuid."""
    async with _database(system, service) as database:
        return {raw["name"]: raw async for raw in await database.list_collections()}


async def kill_swap(
    system: DisasterSystem, service: Service, wanted: Phase, seconds: float
) -> Phase:
    """Start a swap, kill it so many seconds after it reaches the phase; return its last phase.

    It may have ended before the phase is seen.
    """
    async with _database(system, service) as database:
        process = await start_replay(system, service, "--swap")
        try:
            while process.returncode is None and await _phase(database) != wanted:
                await asyncio.sleep(0.003)
            await asyncio.sleep(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
        return await _phase(database)


async def _phase(database: Database) -> Phase:
    """Return the phase of a swap, running or killed."""
    progress = await database["replay.progress"].find_one({})
    if not progress:
        return "none"
    if progress["swapping"]:
        return "swapping"
    found = [raw async for raw in await database.list_collections()]
    return "holding" if any(raw["options"].get("validator") for raw in found) else "building"


@contextlib.asynccontextmanager
async def _database(system: DisasterSystem, service: Service) -> AsyncIterator[Database]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(system.mongodb.address)
    async with client:
        yield client[database_name(service)]
