"""Renders the chart with the helm that `tests/cluster/tools/build.sh` has built."""

import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
KUBERNETES: Final = ROOT / "deploy/k8s"
CHART: Final = KUBERNETES / "chart"
EXAMPLES: Final = tuple(sorted((KUBERNETES / "examples").glob("*.yaml")))
# Each is a way to run it: they are installed by `make cluster-test`.
VALUES: Final = {
    path.name.removesuffix("-values.yaml"): path for path in sorted(CHART.glob("ci/*-values.yaml"))
}
TOOLS: Final = ROOT / ".cache/cluster/bin"
CRDS: Final = ROOT / ".cache/cluster/crds"

Manifest = dict[str, Any]


def helm(*arguments: str | Path) -> str:
    """Run helm; return what it prints. Raises CalledProcessError."""
    done = subprocess.run(
        [TOOLS / "helm", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def template(*options: str | Path) -> str:
    """Return the manifests as text; release and namespace are called realtoros."""
    return helm("template", "realtoros", CHART, "--namespace", "realtoros", *options)


def manifests(*options: str | Path) -> list[Manifest]:
    """Return the manifests."""
    return [m for m in yaml.safe_load_all(template(*options)) if m]


def pod_of(manifest: Manifest) -> Manifest:
    """Return the spec of a Deployment's or a Job's pods."""
    found: Manifest = manifest["spec"]["template"]["spec"]
    return found
