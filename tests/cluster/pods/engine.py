"""podman as these tests use it: a network, and an image of busybox alone."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SUBNET: Final = "10.91.0"
NETWORK: Final = "realtoros-pods"
# The machine's own address in the network: where pods reach the servers.
BRIDGE: Final = f"{SUBNET}.1"
TINY: Final = "localhost/stand-in/tiny:test"


def podman(*arguments: str | Path) -> str:
    """Run podman; return what it prints. Raises CalledProcessError."""
    done = subprocess.run(["podman", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@contextmanager
def network(folder: Path) -> Iterator[None]:
    """Make the network and the image; remove the network at the end.

    A container keeps the network's bridge there, so that servers can listen on it.
    """
    archive = folder / "tiny.tar"
    package = ("--variant=extract", "--include=busybox-static", "bookworm")
    subprocess.run(["mmdebstrap", "--quiet", *package, archive], check=True)
    podman("import", "--quiet", archive, TINY)
    # With what a run that was killed has left.
    podman("network", "rm", "--force", "--time=0", NETWORK)
    podman("network", "create", "--subnet", f"{SUBNET}.0/24", NETWORK)
    try:
        keeper = ("--detach", f"--network={NETWORK}", "--init=false", TINY)
        podman("run", *keeper, "/bin/busybox", "sleep", "86400")
        yield
    finally:
        podman("network", "rm", "--force", "--time=0", NETWORK)
