"""The API for an honest agent while another one, or an address, attacks it."""

import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests import servers
from tests.faults.attacks.attacked_system import Outcome, attacked_system
from tests.faults.attacks.attackers import ATTACKS
from tests.system import topic_prefix

TARGET_GET, TARGET_LOGIN, TARGET_MEMORY = 0.25, 2.0, 100 * 1024 * 1024


async def attacks(console: Console, folder: Path) -> None:
    """Run each attack for SECONDS (20), or ATTACK only, and print one table."""
    seconds = int(os.environ.get("SECONDS") or 20)
    names = [os.environ["ATTACK"]] if os.environ.get("ATTACK") else list(ATTACKS)
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        topic_prefix(kafka) as prefix,
        attacked_system(folder, kafka, mongodb, prefix) as system,
    ):
        load = os.getloadavg()[0]
        console.print(f"{os.cpu_count()} cores, load {load:.1f}; {seconds} s each")
        outcomes = [await system.attack(name, seconds) for name in (None, *names)]
    _show(console, outcomes)


def _show(console: Console, outcomes: list[Outcome]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("attack")
    for title in ("GET p50", "GET p99, ms", "log-in max, s", "memory, MiB", "failed"):
        table.add_column(title, justify="right")
    table.add_column("refused")
    for one in outcomes:
        refused = sorted(one.refused.items(), key=lambda item: -item[1])
        table.add_row(
            one.attack,
            f"{one.get_percentile(50) * 1000:.0f}",
            f"{one.get_percentile(99) * 1000:.0f}",
            f"{max(one.logins):.2f}",
            f"+{one.memory_growth / 1024 / 1024:.0f}",
            str(len(one.failed)),
            ", ".join(f"{reason} {count:.0f}" for reason, count in refused),
        )
    console.print(table)
    for one in outcomes:
        for missed in _missed(one):
            console.print(f"MISSED during {one.attack}: {missed}")


def _missed(one: Outcome) -> list[str]:
    missed = []
    if one.failed:
        missed.append(f"{len(one.failed)} honest requests failed, such as {one.failed[0]}")
    if one.get_percentile(99) >= TARGET_GET:
        missed.append(f"the target is GET /api/tasks under {TARGET_GET * 1000:.0f} ms p99")
    if max(one.logins) >= TARGET_LOGIN:
        missed.append(f"the target is a log-in under {TARGET_LOGIN:.0f} s")
    if one.memory_growth >= TARGET_MEMORY:
        missed.append("the target is less than 100 MiB more")
    return missed
