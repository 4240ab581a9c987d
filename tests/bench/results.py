"""The results of a run, and how they are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import quantiles

from rich.console import Console
from rich.table import Table


class InvalidRun(Exception):
    """The run proves nothing, or the system failed; the message says why."""


@dataclass(frozen=True)
class Drained:
    """`seconds` from the first due to the last accepted; `waits` from due to accepted."""

    title: str
    count: int
    seconds: float
    cpu: Mapping[str, float]
    waits: Sequence[float] = field(default=())

    @property
    def rate(self) -> float:
        """Follow-ups a second."""
        return self.count / self.seconds

    def cost(self, name: str | None = None) -> float:
        """CPU milliseconds a follow-up, of one kind of process or of all."""
        used = sum(self.cpu.values()) if name is None else self.cpu.get(name, 0.0)
        return 1000 * used / self.count

    def wait(self, percent: int) -> float:
        """Return the percentile of the seconds from due to accepted."""
        return quantiles(self.waits, n=100, method="inclusive")[percent - 1]


def seconds_between(start: datetime, end: datetime) -> float:
    """Return the seconds from `start` to `end`."""
    return (end - start).total_seconds()


def show(console: Console, runs: Sequence[Drained]) -> None:
    """Print the runs as columns, with the cost by process in the last rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for run in runs:
        table.add_column(run.title, justify="right")

    def row(name: str, *cells: str) -> None:
        table.add_row(name, *cells)

    row("follow-ups/s", *(f"{run.rate:.0f}" for run in runs))
    for percent in (50, 95):
        row(
            f"p{percent} due → accepted, s",
            *(f"{run.wait(percent):.2f}" if run.waits else "-" for run in runs),
        )
    row("CPU ms per follow-up", *(f"{run.cost():.2f}" for run in runs))
    for name in dict.fromkeys(name for run in runs for name in run.cpu):
        row(f"  {name}", *(f"{run.cost(name):.2f}" if name in run.cpu else "-" for run in runs))
    console.print(table)
