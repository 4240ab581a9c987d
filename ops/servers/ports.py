"""Loopback ports, for servers that should keep theirs from run to run."""

import random
import socket
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range: there, an outgoing connection could take the port in between.
PORTS = range(20_000, 32_000)


def in_any_order(ports: Sequence[int]) -> Iterator[int]:
    """Return the ports, each once before one comes again."""
    return cycle(random.SystemRandom().sample(ports, len(ports)))


# So what is chosen and not bound yet is not chosen again.
candidates = in_any_order(PORTS)


def remembered_port(folder: Path) -> int:
    """Return the port used last in this folder if it is free, else a free one; remember it."""
    memory = folder / "port"
    try:
        port = int(memory.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    if not (port and is_free(port)):
        port = free_port()
        memory.write_text(str(port))
    return port


def free_port() -> int:
    """Return a loopback port that no server listens on at this moment, another each time."""
    return next(port for port in candidates if is_free(port))


def free_ports(number: int) -> list[int]:
    """Return as many free ports."""
    return [free_port() for _ in range(number)]


def is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections of the last run in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
