"""`make check-monitoring`: alerts, their tests, the dashboard's queries and the scrapes.

Promtool (the package prometheus of Debian) parses all of them; what it does not know, that each
alert is tested and has its page, and that each metric exists, is checked here.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
# Metrics that are not ours: of the scrape, and of prometheus-client.
FOREIGN = {
    "up",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}


def promtool(*arguments: str | Path) -> None:
    """Run promtool in deploy/monitoring. Exits when it is missing or finds something."""
    tool = shutil.which("promtool")
    if tool is None:
        sys.exit("promtool is missing: apt-get install prometheus")
    ran = subprocess.run(
        [tool, *arguments], cwd=MONITORING, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(f"promtool {arguments[0]} {arguments[1]}\n{ran.stdout}{ran.stderr}")


def alerts() -> list[dict[str, Any]]:
    """Return the alerting rules."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    """Return the dashboard's queries, with Grafana's variables filled in."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    targets = [t for panel in dashboard["panels"] for t in panel.get("targets", ())]
    return [target["expr"].replace("$__range", "6h") for target in targets]


def problems() -> Iterator[str]:
    """Return what is wrong besides syntax."""
    tested = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
    # Fires once, and has not fired the moment before.
    cases = [case for test in tested for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case["exp_alerts"]}
    quiet = {case["alertname"] for case in cases if not case["exp_alerts"]}
    for rule in alerts():
        name = rule["alert"]
        kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
        if rule["annotations"]["runbook"] != f"docs/runbooks/{kebab}.md":
            yield f"{name}: its runbook is not docs/runbooks/{kebab}.md"
        if not {name} <= firing & quiet:
            yield f"{name}: alerts_test.yaml lacks its first occurrence, or the moment before"
    known = set(
        re.findall(r"^\| `(realtoros_\w+)", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    )
    for query in [*queries(), *(rule["expr"] for rule in alerts())]:
        yield from (f"{name} does not exist: {query}" for name in _metrics(query) - known - FOREIGN)


def _metrics(query: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\b(by|on|without) \([^)]*\)", "", query)
    names = set(re.findall(r"\b(realtoros_\w+|process_\w+|up)\b", bare))
    return {re.sub(r"_bucket$", "", name) for name in names}


def parse(expressions: Iterable[str]) -> None:
    """Have promtool parse them, as recording rules."""
    rules = [{"record": f"query:{n}", "expr": each} for n, each in enumerate(expressions)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        promtool("check", "rules", file.name)


def main() -> None:
    """Check everything; exit with what is wrong."""
    promtool("check", "rules", "alerts.yaml")
    promtool("check", "config", "prometheus.yaml")
    promtool("test", "rules", "alerts_test.yaml")
    parse(queries())
    if found := list(problems()):
        sys.exit("\n".join(found))
    sys.stdout.write(f"{len(alerts())} alerts and {len(queries())} queries of the dashboard fit\n")


if __name__ == "__main__":
    main()
