"""What a worker answers, frame by frame, and what it needs for that."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from services.gateway.leads import rows, worker
from services.gateway.leads.charsets import Unreadable
from services.gateway.leads.worker import LENGTH, ROWS_AT_ONCE, frame, serve


def answers(*requests: bytes) -> list[list[Any]]:
    """Return what is answered to the frames."""
    written = io.BytesIO()
    serve(io.BytesIO(b"".join(requests)), written)
    written.seek(0)
    found = []
    while length := written.read(LENGTH.size):
        found.append(json.loads(written.read(LENGTH.unpack(length)[0])))
    return found


def file(text: str) -> bytes:
    return frame(b"{}") + frame(text.encode())


def test_clients_and_refused_lines_come_in_batches() -> None:
    lines = [f"Ann,ann{n}@example.com\n" for n in range(ROWS_AT_ONCE + 1)] + ["Bob,\n"]
    found = answers(file("name,email\n" + "".join(lines)), file("name,email\n"))
    assert [kind for kind, _ in found] == [
        "clients",
        "clients",
        "refused",
        "columns",
        "end",
        "columns",
        "end",
    ]
    assert [len(part) for _, part in found[:3]] == [ROWS_AT_ONCE, 1, 1]
    assert found[1][1] == [
        [
            *(102, "ann100@example.com"),
            '{"personal": {"name": "Ann", "email": "ann100@example.com"}}',
            *("", False, []),
        ]
    ]
    assert found[2][1] == [[103, "email", "no email address"]]


def test_a_file_that_cannot_be_read_is_answered_and_so_is_the_next() -> None:
    found = answers(file(""), frame(b'{"charset": "martian"}') + frame(b""), file("name,email\n"))
    assert [kind for kind, _ in found] == ["unreadable", "unreadable", "columns", "end"]
    assert found[1][1].startswith("the charset “martian” is not known here; use one of: ascii,")


def test_a_bug_is_told_and_the_next_file_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(worker, "rows_of", None)
        [[kind, told]] = answers(file("name,email\n"))
    assert kind == "failed"
    assert "TypeError" in told
    assert answers(file("name,email\n"))[-1] == ["end", ""]


def test_a_request_that_breaks_off_is_not_answered() -> None:
    request = file("name,email\n")
    assert all(answers(request[:length]) == [] for length in range(len(request)))


def test_a_worker_loads_only_what_it_needs() -> None:
    code = f"import {worker.__name__}, sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "pydantic" in loaded
    assert not loaded & {"aiokafka", "beanie", "litestar", "pymongo", "structlog", "uvicorn"}
    assert not loaded & {"asyncio", "chassis"}


def test_a_file_whose_clients_are_larger_than_itself_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "MAX_CLIENT_TEXT", 100_000)
    titles = ",".join("t" * 240 + str(n) for n in range(50))
    lines = "".join(f"A,a{n}@b.example{',1' * 50}\n" for n in range(20))
    with pytest.raises(Unreadable, match=r"line 9: the clients up to here.*import the file in"):
        rows.rows_of(f"name,email,{titles}\n{lines}".encode())


def test_half_a_character_is_refused_on_its_line() -> None:
    fields = r'"{""a"": ""\ud800""}"'
    found = rows.rows_of(
        f"name,email,custom_fields\nAnn,ann@example.com,{fields}\nB,b@example.com,\n".encode()
    )
    assert found.refused == [(2, "custom_fields", "has text that is not valid Unicode")]
    assert [row.line for row in found.clients] == [3]
