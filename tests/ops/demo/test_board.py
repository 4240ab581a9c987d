"""The demo's board, from task lists."""

import io

import pytest
from rich.console import Console

from ops.api_client.client import Client, Task
from ops.demo import board
from services.gateway.leads.parsing import Lead

ANN = Lead(line=2, name="Ann [Lee]", email="Ann@example.com")
BOB = Lead(line=3, name="Bob", email="bob@example.com")
ANNS = Client(id="1", email="ann@example.com", stage="lead")


def tasks(*statuses: str, client: str = "1", error: str = "") -> list[Task]:
    planned = zip(board.FOLLOWUPS, statuses, strict=False)
    return [Task(f"{client}/{kind}", client, kind, status, error) for kind, status in planned]


def drawn(rows: list[board.Row], *, width: int = 100, height: int = 40) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    with console.capture() as capture:
        console.print(board.render(rows, 12.0, 3.25, width=width, height=height))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_each_followup_of_a_client_is_in_its_row() -> None:
    [row] = board.build_rows([ANN], [ANNS], tasks("sent", "composed", "due", "pending", "pending"))
    picture = drawn([row])
    assert (
        "Ann [Lee]                 ● sent       ◑ composed   ◔ due        · pending" in picture[1]
    )
    assert all(len(line) <= 100 for line in picture)
    assert picture[-1].endswith("of 5   3.2/s   12 s")


def test_what_is_not_planned_yet_is_waited_for() -> None:
    [row] = board.build_rows([ANN], [], [])
    assert board.count_by_status([row]) == {"unplanned": 5}
    assert not row.is_settled


@pytest.mark.parametrize("stage", ["closed", "lost"])
def test_nothing_is_expected_of_a_client_that_is_closed_or_lost(stage: str) -> None:
    [row] = board.build_rows([ANN], [Client(id="1", email=ANNS.email, stage=stage)], [])
    assert row.is_settled
    assert not board.count_by_status([row])


def test_followups_of_other_clients_are_left_out() -> None:
    rows = board.build_rows([ANN], [ANNS], tasks("sent", client="another"))
    assert board.count_by_status(rows) == {"unplanned": 5}


def test_a_row_is_settled_when_nothing_more_will_happen() -> None:
    [done] = board.build_rows(
        [ANN], [ANNS], tasks("sent", "failed", "cancelled", "withheld", "unknown")
    )
    [moving] = board.build_rows([ANN], [ANNS], tasks("sent", "sent", "sent", "sent", "composed"))
    assert (done.is_settled, moving.is_settled) == (True, False)


def test_what_is_not_sent_is_named_with_the_reason() -> None:
    failed = tasks("failed", error="no such mailbox")
    rows = board.build_rows(
        [ANN], [ANNS], failed + tasks("sent", "sent", "sent", "sent", "sent")[1:]
    )
    assert board.unsent(rows) == ["Ann [Lee], Day 1: failed (no such mailbox)"]


def test_a_plain_line_says_how_far_it_is() -> None:
    counts = {"sent": 48, "pending": 75, "composed": 2}
    line = board.summary_line(counts, 12.34, 3.25)
    assert line == "  12.3 s  48 of 125 sent, 3.2/s; pending 75, composed 2"


def test_25_clients_fit_a_terminal_of_24_lines_and_80_columns() -> None:
    leads = [Lead(line=i, name=f"Client {i}", email=f"{i}@example.com") for i in range(25)]
    picture = drawn(board.build_rows(leads, [], []), width=80, height=24)
    assert len(picture) <= 24
    assert max(len(line) for line in picture) <= 80
    assert all(f"Client {i}" in "\n".join(picture) for i in range(25))


def test_too_many_clients_leave_out_those_that_are_done() -> None:
    rows = board.build_rows(
        [ANN] * 200 + [BOB], [ANNS], tasks("sent", "sent", "sent", "sent", "sent")
    )
    picture = drawn(rows, width=80, height=24)
    assert any("Bob" in line for line in picture)
    assert picture[-1].endswith("more clients")
    assert len(picture) <= 24
