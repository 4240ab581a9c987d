"""kubectl and helm against one API server, and waiting for what they show."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.deploy.chart import CHART, TOOLS

Object = dict[str, Any]
COMPONENT: Final = "app.kubernetes.io/component"
RELEASE: Final = "app.kubernetes.io/instance=realtoros"
WAIT_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.5


class CommandError(Exception):
    """A command has failed; the message is what it wrote on stderr."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl and helm in one namespace."""

    kubeconfig: Path
    namespace: str = "default"

    def __call__(self, *arguments: str | Path, given: str | None = None) -> str:
        """Run kubectl with `given` as its standard input; return what it prints."""
        return self._run("kubectl", *arguments, given=given)

    def helm(self, *arguments: str | Path) -> str:
        """Run helm; return what it prints."""
        return self._run("helm", *arguments)

    def install(self, *options: str | Path) -> None:
        """Install the chart as realtoros and wait until all pods are ready."""
        self.helm("install", "realtoros", CHART, "--wait", "--timeout", "5m", *options)

    def upgrade(self, *options: str | Path) -> None:
        """Upgrade it and wait until all pods are ready."""
        self.helm("upgrade", "realtoros", CHART, "--wait", "--timeout", "5m", *options)

    def objects(self, kinds: str, selector: str = RELEASE) -> list[Object]:
        """Return the objects with these labels."""
        found = json.loads(self("get", kinds, "--selector", selector, "--output", "json"))
        items: list[Object] = found["items"]
        return items

    def get(self, kind: str, name: str) -> Object:
        """Return one object."""
        found: Object = json.loads(self("get", kind, name, "--output", "json"))
        return found

    def pods(self, component: str) -> list[Object]:
        """Return the pods of a service, but those that end."""
        found = self.objects("pods", f"{RELEASE},{COMPONENT}={component}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def leftovers(self) -> list[str]:
        """Return what the namespace still holds of the release, events aside."""
        kinds = self("api-resources", "--namespaced", "--verbs=list", "--output", "name").split()
        asked = ",".join(kind for kind in kinds if not kind.startswith("events"))
        return self("get", asked, "--selector", RELEASE, "--output", "name").split()

    def _run(self, tool: str, *arguments: str | Path, given: str | None = None) -> str:
        where = ("--kubeconfig", self.kubeconfig, "--namespace", self.namespace)
        done = subprocess.run(
            [TOOLS / tool, *where, *arguments],
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CommandError(done.stderr)
        return done.stdout


def until(condition: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Wait until the condition holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(POLL_SECONDS)
