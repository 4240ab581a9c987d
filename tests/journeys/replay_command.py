"""`realtoros replay` as an operator runs it, as a process; and what it does to the collections."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from pymongo import AsyncMongoClient

from chassis.mongo.client import Database
from ops.services import Service
from tests.journeys.disaster_system import Site

# Holding: it catches up while nobody may write. Swapping: it can only be finished.
Phase = Literal["none", "building", "holding", "swapping"]
_COMMAND = (sys.executable, "-P", "-m", "ops.cli", "replay")


async def begun(here: Site, service: Service, *options: str) -> asyncio.subprocess.Process:
    """Start `realtoros replay` of the service."""
    process = here.running.processes[service][0]
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        service,
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=here.running.folder,
        env=process.environment,
    )


async def replayed(here: Site, service: Service, *options: str) -> str:
    """Run `realtoros replay` of the service to its end, which is a good one; give its output."""
    process = await begun(here, service, *options)
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{service} {options}: {output.decode()}"
    return output.decode()


async def collections(here: Site, service: Service) -> Mapping[str, Mapping[str, Any]]:
    """Describe the service's collections by name; a new one of the same name has another uuid."""
    async with _database(here, service) as database:
        return {raw["name"]: raw async for raw in await database.list_collections()}


async def killed(here: Site, service: Service, wanted: Phase, seconds: float) -> Phase:
    """Begin a swap and kill it so long after it is seen to be that far; give how far it was.

    It may have ended before that is seen.
    """
    async with _database(here, service) as database:
        process = await begun(here, service, "--swap")
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
    """Tell how far a swap is; what a killed one has left counts, too."""
    progress = await database["replay.progress"].find_one({})
    if not progress:
        return "none"
    if progress["swapping"]:
        return "swapping"
    found = [raw async for raw in await database.list_collections()]
    return "holding" if any(raw["options"].get("validator") for raw in found) else "building"


@contextlib.asynccontextmanager
async def _database(here: Site, service: Service) -> AsyncIterator[Database]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(here.mongodb.address)
    async with client:
        yield client[f"realtoros_{service}"]
