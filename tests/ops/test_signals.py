"""Ctrl-C, once and twice, in a real process."""

import os
import signal
import subprocess
import sys

PROGRAM = """
import asyncio, sys
from ops.signals import until_signalled

still = asyncio.Event()

def say(line):
    print(line, flush=True)
    if line.startswith("Still"):
        still.set()

async def work():
    try:
        print("working", flush=True)
        await asyncio.Event().wait()
    finally:
        print("tidying", flush=True)
        await still.wait()
        print("tidy", flush=True)

code = asyncio.run(until_signalled(work(), say))
sys.exit(42 if code is None else code)
"""


def test_a_second_ctrl_c_does_not_break_the_tidying_up() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line.split()[0])
            if lines[-1] in ("working", "tidying"):
                os.kill(process.pid, signal.SIGINT)
    assert lines == ["working", "Stopping", "tidying", "Still", "tidy"]
    assert process.returncode == 42
