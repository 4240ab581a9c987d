"""The CPU cost of an idle `realtoros up`."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ops.servers.ports import free_port
from tests.bench import cpu
from tests.bench.results import InvalidRun

SECONDS = 30
TARGET_PERCENT = 15
# Joining groups and catching up are part of the start.
_SETTLE_SECONDS = 10
_START_SECONDS = 180
_ROOT = Path(__file__).parents[2]
_UP = (sys.executable, "-m", "ops.cli", "up")


async def idle(console: Console, folder: Path) -> None:
    """Start it on the embedded servers, leave it idle, and print the CPU of each process."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI")
    }
    process = await asyncio.create_subprocess_exec(
        *_UP,
        stdout=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment | {"GATEWAY_PORT": str(free_port()), "PYTHONPATH": str(_ROOT)},
    )
    try:
        await asyncio.wait_for(_until_up(process), _START_SECONDS)
        await asyncio.sleep(_SETTLE_SECONDS)
        before, started = cpu.seconds(), time.monotonic()
        await asyncio.sleep(SECONDS)
        used = cpu.between(before, cpu.seconds())
        _show(console, used, time.monotonic() - started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until_up(process: asyncio.subprocess.Process) -> None:
    assert process.stdout
    async for line in process.stdout:
        if b"is up" in line:
            return
    raise InvalidRun("realtoros up ended at its start")


def _show(console: Console, used: Mapping[str, float], seconds: float) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"idle for {seconds:.0f} s, embedded")
    table.add_column("% of one core", justify="right")
    for name, busy in used.items():
        table.add_row(name, f"{100 * busy / seconds:.1f}")
    total = 100 * sum(used.values()) / seconds
    table.add_row("in total", f"{total:.1f}")
    console.print(table)
    if total >= TARGET_PERCENT:
        console.print(f"MISSED: the target is under {TARGET_PERCENT} %")
