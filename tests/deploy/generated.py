"""Writes what is generated in deploy/k8s: `python -m tests.deploy.generated`; `--check` compares.

The chart's README comes from the comments in values.yaml, `plain` from the chart's defaults, the
chart's alerts and dashboard from deploy/monitoring, Strimzi's users from `realtoros topics acls`.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import yaml

from contracts.catalogue import DEFAULT_PREFIX
from ops.topics.acls import acls
from tests.deploy.chart import CHART, KUBERNETES, ROOT, template

MONITORING: Final = ROOT / "deploy/monitoring"
_COMMENT: Final = re.compile(r"\s*# (-- )?(.*)")
_HEAD: Final = """\
# The chart `realtoros`

Generated from `values.yaml` by `make chart`. How to install it: \
[On Kubernetes](../../../docs/operations.md#on-kubernetes).

| value | default | meaning |
|---|---|---|
"""


def documents() -> dict[Path, str]:
    """Return what each generated file has to hold."""
    plain, jobs = KUBERNETES / "plain", "templates/jobs.yaml"
    return {
        CHART / "README.md": _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in _values()),
        plain / "jobs.yaml": template("--show-only", jobs),
        plain / "realtoros.yaml": template("--no-hooks"),
        KUBERNETES / "examples/strimzi-users.yaml": "---\n".join(_strimzi_users()),
        **{CHART / "files" / path.name: path.read_text() for path in _monitoring()},
    }


def _monitoring() -> Iterator[Path]:
    for name in ("alerts.yaml", "dashboard.json"):
        yield from MONITORING.glob(name)


def _values() -> Iterator[tuple[str, str, str]]:
    text = (CHART / "values.yaml").read_text()
    lines = text.splitlines()

    def described(node: yaml.MappingNode, path: str) -> Iterator[tuple[str, str, str]]:
        for key, value in node.value:
            name = f"{path}{key.value}"
            if meaning := _comment_above(lines, key.start_mark.line):
                found = yaml.safe_load(yaml.serialize(value))
                yield f"`{name}`", f"`{json.dumps(found, ensure_ascii=False)}`", meaning
            elif isinstance(value, yaml.MappingNode):
                yield from described(value, f"{name}.")

    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)
    yield from described(root, "")


def _comment_above(lines: list[str], line: int) -> str:
    """Return the comment that begins with two dashes and ends above this line."""
    found: list[str] = []
    while line and (match := _COMMENT.fullmatch(lines[line := line - 1])):
        found.insert(0, match[2])
        if match[1]:
            return " ".join(found)
    return ""


def _strimzi_users() -> Iterator[str]:
    for principal, granted in groupby(acls(DEFAULT_PREFIX), lambda acl: acl.principal):
        rules = [
            {
                "resource": {"type": acl.resource, "name": acl.name, "patternType": "literal"},
                "operations": list(acl.operations),
            }
            for acl in granted
        ]
        user = {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaUser",
            "metadata": {"name": principal, "labels": {"strimzi.io/cluster": "kafka"}},
            "spec": {
                "authentication": {"type": "scram-sha-512"},
                "authorization": {"type": "simple", "acls": rules},
            },
        }
        yield yaml.safe_dump(user, sort_keys=False)


def stale() -> list[str]:
    """Return the files that are not as generated."""
    return [
        str(path.relative_to(ROOT))
        for path, text in documents().items()
        if not path.exists() or path.read_text() != text
    ]


def main(arguments: Iterable[str]) -> None:
    """Write, or compare: then the exit code is 1 if a file is not as generated."""
    if "--check" in arguments:
        files = stale()
        sys.exit(f"not as generated (make chart): {', '.join(files)}" if files else 0)
    for path, text in documents().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
