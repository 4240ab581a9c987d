"""podman as these tests use it: its settings, a network, and an image of busybox alone."""

import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from contracts.services import SERVICES

SUBNET: Final = "10.91.0"
NETWORK: Final = "realtoros-pods"
TINY: Final = "localhost/stand-in/tiny:test"
REGISTRY: Final = "localhost/stand-in"
TAGS: Final = ("test", "next")
_SETTINGS: Final = """\
[engine]
runtime = "runc-nolimits"
cgroup_manager = "cgroupfs"
events_logger = "file"
[engine.runtimes]
runc-nolimits = ["{wrapper}"]
[network]
network_backend = "netavark"
"""


def podman(*arguments: str | Path) -> str:
    """Run podman; return what it prints. Raises CalledProcessError."""
    done = subprocess.run(["podman", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@contextmanager
def engine(folder: Path) -> Iterator[None]:
    """Set podman up for this process and its children; remove the network at the end."""
    settings = folder / "containers.conf"
    wrapper = Path(__file__).parents[2] / "containers" / "runc-nolimits"
    settings.write_text(_SETTINGS.format(wrapper=wrapper))
    os.environ["CONTAINERS_CONF"] = str(settings)
    # With what a run that was killed has left.
    podman("network", "rm", "--force", NETWORK)
    podman("network", "create", "--subnet", f"{SUBNET}.0/24", NETWORK)
    try:
        yield
    finally:
        podman("network", "rm", "--force", NETWORK)
        del os.environ["CONTAINERS_CONF"]


def import_tiny(folder: Path) -> None:
    """Make the image of Debian's package, and name it as the chart's images, too."""
    archive, script = folder / "tiny.tar", Path(__file__).parent / "service.sh"
    package = ("--variant=extract", "--include=busybox-static", "bookworm")
    subprocess.run(["mmdebstrap", "--quiet", *package, archive], check=True)
    with tarfile.open(archive, "a") as files:
        files.add(script, "bin/realtoros", filter=_executable)
    podman("import", "--quiet", "--change", 'CMD ["/bin/realtoros"]', archive, TINY)
    for name in (*SERVICES, "ops"):
        for tag in TAGS:
            podman("tag", TINY, f"{REGISTRY}/realtoros-{name}:{tag}")


def _executable(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode = 0o755
    return member
