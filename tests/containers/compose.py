"""docker-compose.yml run by podman-compose, as docker compose would run it."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import yaml

from ops.servers.ports import free_port

ROOT: Final = Path(__file__).parents[2]
# Another clone may run its own beside it.
PROJECT: Final = f"realtoros-{os.getpid()}"
_COMPOSE: Final = ROOT / ".cache/containers/venv/bin/podman-compose"
START_SECONDS: Final = 300
_STATE: Final = "{{.State.Status}} {{.State.ExitCode}}"


def podman(*arguments: str, check: bool = True) -> str:
    """Run podman; return what it prints. Raises CalledProcessError."""
    done = subprocess.run(["podman", *arguments], check=check, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Compose:
    """The running project; `url` is nginx's."""

    url: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run podman-compose; return what it prints. Raises CalledProcessError."""
        command = [str(_COMPOSE), "--in-pod=false", "--project-name", PROJECT]
        done = subprocess.run(
            [*command, *os.environ.get("COMPOSE_ARGUMENTS", "").split(), *arguments],
            check=True,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def ops(self, *command: str) -> str:
        """Run a command of `realtoros` in a container of its own; return what it prints."""
        return self.run("--profile", "ops", "run", "--rm", "-T", "ops", *command)


def container(service: str) -> str:
    """Return the name of the service's container."""
    return f"{PROJECT}_{service}_1"


def inspect(service: str, field: str) -> str:
    """Return a field of the service's container."""
    return podman("inspect", "--format", "{{." + field + "}}", container(service))


def execute(service: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the service's container."""
    return subprocess.run(
        ["podman", "exec", container(service), *command],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def memory(service: str) -> int:
    """Return the MiB that the processes of the service's container take (PSS)."""
    pids = podman("top", container(service), "hpid").split()[1:]
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(re.findall(r"^Pss: +(\d+)", text, re.MULTILINE)[0]) for text in rollups) // 1024


def exit_code(service: str, seconds: int) -> int:
    """Stop the service's container; return its exit code, 137 if it took longer."""
    podman("stop", f"--time={seconds}", container(service))
    return int(inspect(service, "State.ExitCode"))


@contextlib.contextmanager
def running(secrets: Path) -> Iterator[Compose]:
    """Start the project with secrets of its own; remove it at the end."""
    port = free_port()
    environment = os.environ | {
        "SECRETS_DIR": str(secrets),
        "LISTEN": f"127.0.0.1:{port}",
        "FRONT_SUBNET": f"10.92.{port % 256}.0/24",
        "FOLLOWUP_DAY_SECONDS": "0.5",
    }
    subprocess.run([ROOT / "deploy/containers/secrets.sh"], check=True, env=environment)
    compose = Compose(f"http://127.0.0.1:{port}", environment)
    compose.run("down", "--volumes")
    try:
        _start(compose)
        _wait_until_ready(compose.url)
        yield compose
    finally:
        compose.run("down", "--volumes")


def _start(compose: Compose) -> None:
    """Start each service once those that it depends on are as it wants them.

    podman-compose leaves this to podman, which is too old in Debian 12 to wait for health.
    """
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    waiting = {name: service for name, service in services.items() if "profiles" not in service}
    deadline = time.monotonic() + START_SECONDS
    while waiting:
        startable = [
            name
            for name, service in waiting.items()
            if all(_is(on, wanted) for on, wanted in service.get("depends_on", {}).items())
        ]
        if startable:
            compose.run("up", "--detach", "--no-deps", *startable)
        for name in startable:
            del waiting[name]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not started: {', '.join(waiting)}")
        time.sleep(0.5)


def _is(service: str, wanted: dict[str, str]) -> bool:
    """Return whether a service's container meets the condition."""
    if wanted["condition"] == "service_completed_successfully":
        state = podman("inspect", "--format", _STATE, container(service), check=False)
        # Stopped: podman has not cleaned up after it yet.
        return state in {"exited 0", "stopped 0"}
    health = ("podman", "healthcheck", "run", container(service))
    return subprocess.run(health, check=False, capture_output=True).returncode == 0


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx2.Client(base_url=url) as http:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                if http.get("/health/ready").is_success:
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{url} is not ready after {START_SECONDS} s")
            time.sleep(0.5)
