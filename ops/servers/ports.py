"""Loopback ports, for servers that should keep theirs from run to run."""

import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range: there, an outgoing connection could take the port in between.
PORTS = range(20_000, 32_000)
_given: set[int] = set()


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
    """Return a loopback port that no server listens on at this moment; seldom the same again."""
    while True:
        if len(_given) > len(PORTS) // 2:
            _given.clear()
        port = secrets.choice(PORTS)
        if port not in _given and is_free(port):
            _given.add(port)
            return port


def free_ports(number: int) -> list[int]:
    """Return as many free ports, each once: none is bound while all are chosen."""
    ports: set[int] = set()
    while len(ports) < number:
        ports.add(free_port())
    return list(ports)


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
