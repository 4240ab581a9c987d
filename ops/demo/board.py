"""The demo's board of every client's follow-ups: pure functions of the API's answers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.addresses import canonical_address
from ops.api_client.client import Client, Task
from services.gateway.leads.parsing import Lead
from services.gateway.read_models.documents import OPEN, TaskStatus

FOLLOWUPS: Final = ("Day 1", "Day 3", "Week 1", "Week 2", "Month 1")
SETTLED: Final = frozenset(get_args(TaskStatus)) - set(OPEN)
# The status of a follow-up that is expected but not in the API's list yet.
UNPLANNED: Final = "unplanned"
# Symbol and style of each status, in the order in which totals are shown.
_SYMBOLS: Final = {
    UNPLANNED: ("…", "dim"),
    "pending": ("·", "dim"),
    "due": ("◔", "yellow"),
    "composed": ("◑", "cyan"),
    "sent": ("●", "green"),
    "failed": ("✗", "bold red"),
    "cancelled": ("⊘", "magenta"),
    "withheld": ("‖", "magenta"),
    "unknown": ("?", "bold red"),
}
_NAME_WIDTH = 24
_BLOCK_WIDTH = 38


@dataclass(frozen=True)
class Row:
    """One client with the statuses of its follow-ups, by type."""

    name: str
    statuses: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen to its follow-ups."""
        return set(self.statuses.values()) <= SETTLED


def build_rows(
    leads: Iterable[Lead], clients: Iterable[Client], tasks: Iterable[Task]
) -> list[Row]:
    """Return a row per lead, in their order.

    A lead whose client is not listed yet, or not planned yet, has unplanned follow-ups; a client
    that is closed or lost has only those that were planned before. Other sequences are not shown.
    """
    client_of = {canonical_address(client.email): client for client in clients}
    tasks_of: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        tasks_of[task.client_id].append(task)
    result = []
    for lead in leads:
        client = client_of.get(canonical_address(lead.email))
        is_followed_up = client.is_followed_up if client else lead.is_followed_up
        statuses = dict.fromkeys(FOLLOWUPS, UNPLANNED) if is_followed_up else {}
        of_client = tasks_of[client.id] if client else []
        known = [task for task in of_client if task.followup_type in FOLLOWUPS]
        statuses |= {task.followup_type: task.status for task in known}
        errors = {task.followup_type: task.error_message for task in known}
        result.append(Row(lead.name, statuses, errors))
    return result


def count_by_status(rows: Iterable[Row]) -> Counter[str]:
    """Return the number of follow-ups by status."""
    return Counter(status for row in rows for status in row.statuses.values())


def unsent(rows: Iterable[Row]) -> list[str]:
    """Return a line for each follow-up that is not sent: its status and the error, if any."""
    return [
        f"{row.name}, {kind}: {status}" + (f" ({row.errors[kind]})" if row.errors.get(kind) else "")
        for row in rows
        for kind, status in row.statuses.items()
        if status != "sent"
    ]


def summary_line(counts: Mapping[str, int], elapsed: float, rate: float) -> str:
    """Return a summary. `elapsed` is in seconds, `rate` in sent follow-ups per second."""
    parts = [f"{status} {counts[status]}" for status in _SYMBOLS if counts.get(status)]
    total = sum(counts.values())
    shown = ", ".join(part for part in parts if not part.startswith("sent "))
    tail = f"; {shown}" if shown else ""
    return f"{elapsed:6.1f} s  {counts.get('sent', 0)} of {total} sent, {rate:.1f}/s{tail}"


def render(
    rows: Sequence[Row], elapsed: float, rate: float, *, width: int, height: int
) -> RenderableType:
    """Return the rows and a line of totals, in as much detail as fits the terminal."""
    totals = _totals(count_by_status(rows), elapsed, rate)
    room = max(height - 4, 3)
    if len(rows) <= room:
        return Group(_table(rows), totals)
    blocks = max(1, min(width // _BLOCK_WIDTH, -(-len(rows) // room)))
    shown, left_out = _select_rows(rows, room * blocks)
    size = -(-len(shown) // blocks)
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(*(_compact_table(shown[i : i + size]) for i in range(0, len(shown), size)))
    if left_out:
        totals.append(f"  and {left_out} more clients", style="dim")
    return Group(grid, totals)


def _select_rows(rows: Sequence[Row], count: int) -> tuple[list[Row], int]:
    """Return at most `count` rows, unsettled ones first choice, and how many are left out."""
    if len(rows) <= count:
        return list(rows), 0
    indexes = sorted(range(len(rows)), key=lambda index: (rows[index].is_settled, index))
    return [rows[index] for index in sorted(indexes[:count])], len(rows) - count


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("Client", width=_NAME_WIDTH, no_wrap=True)
    for kind in FOLLOWUPS:
        table.add_column(kind, width=11, no_wrap=True)
    for row in rows:
        table.add_row(_name(row), *(_cell(row.statuses.get(kind)) for kind in FOLLOWUPS))
    return table


def _compact_table(rows: Sequence[Row]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=_NAME_WIDTH, no_wrap=True)
    for row in rows:
        table.add_row(_name(row), *(_glyph(row.statuses.get(kind)) for kind in FOLLOWUPS))
    return table


def _name(row: Row) -> Text:
    # As Text, since brackets in a name are not markup.
    return Text(row.name, no_wrap=True, overflow="ellipsis")


def _cell(status: str | None) -> Text:
    glyph = _glyph(status)
    return glyph.append(f" {status}") if status else glyph


def _glyph(status: str | None) -> Text:
    sign, style = _SYMBOLS.get(status, (status[0], "")) if status else ("-", "dim")
    return Text(sign, style=style)


def _totals(counts: Mapping[str, int], elapsed: float, rate: float) -> Text:
    text = Text("\n")
    for status, (sign, style) in _SYMBOLS.items():
        if counts.get(status) or status in ("pending", "due", "composed", "sent"):
            text.append(f"{sign} {status} {counts.get(status, 0)}  ", style=style)
    text.append(f"of {sum(counts.values())}   {rate:.1f}/s   {elapsed:.0f} s", style="bold")
    return text
