"""The `realtoros` command as a user starts it: in a folder, in a process group of its own."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

NO_KEYS = ("OPENAI_", "SENDGRID_", "KAFKA_", "MONGODB_", "MAIL", "GATEWAY_", "SMTP_", "PUBLIC_")


@contextlib.asynccontextmanager
async def local_command(
    folder: Path, *arguments: str, environment: Mapping[str, str], log: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it with its output appended to the log; end it by SIGTERM if it still runs."""
    inherited = {n: value for n, value in os.environ.items() if not n.startswith(NO_KEYS)}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "ops.cli", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**inherited, **environment},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
