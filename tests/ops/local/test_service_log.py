"""A service's log: what the terminal shows of it, and how it is rotated."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local import service_log
from ops.local.service_log import ServiceLog

FAILED = b'{"level": "error", "event": "email_failed", "error": "no route"}\n'
STARTED = b'{"level": "info", "event": "started"}\n'


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ServiceLog]:
    made = ServiceLog(tmp_path / "crm.log")
    yield made
    made.close()


def kept(log: ServiceLog) -> bytes:
    """Return what the earlier file and the file hold."""
    earlier = log.path.with_suffix(".log.1")
    return (earlier.read_bytes() if earlier.exists() else b"") + log.path.read_bytes()


def test_errors_are_returned_once(log: ServiceLog) -> None:
    log.write(STARTED + FAILED + b"not json\n")
    assert log.new_errors() == ["email_failed: no route"]
    assert log.new_errors() == []
    assert log.path.read_bytes() == STARTED + FAILED + b"not json\n"


def test_what_an_earlier_run_has_written_stays_and_its_errors_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "crm.log").write_bytes(FAILED)
    log = ServiceLog(tmp_path / "crm.log")
    log.write(STARTED)
    assert log.new_errors() == []
    assert log.path.read_bytes() == FAILED + STARTED
    log.close()


def test_a_line_is_read_once_it_is_complete(log: ServiceLog) -> None:
    log.write(FAILED[:20])
    assert log.new_errors() == []
    log.write(FAILED[20:])
    assert log.new_errors() == ["email_failed: no route"]


def test_an_exception_is_shown_as_what_was_raised(log: ServiceLog) -> None:
    log.write(
        b'{"level": "error", "event": "bug", "exception": [{"exc_type": "E", "exc_value": "v"}]}\n'
        b'{"level": "error", "event": "bug", "exception": "Traceback:\\n  line\\nE: w"}\n'
    )
    assert log.new_errors() == ["bug: E: v", "bug: E: w"]


def test_the_exit_reason_is_the_newest_error_else_the_last_event(log: ServiceLog) -> None:
    assert log.exit_reason() == "it wrote nothing"
    log.write(FAILED + STARTED)
    assert log.exit_reason() == "email_failed: no route"
    # It is not shown twice.
    assert log.new_errors() == []
    log.write(STARTED)
    assert log.exit_reason() == "started"


def test_the_interpreters_last_line_comes_before_logged_errors(log: ServiceLog) -> None:
    log.write(FAILED + b"realtoros: wrong setting: MONGODB_URI: Field required")
    log.end_line()
    assert log.exit_reason() == "realtoros: wrong setting: MONGODB_URI: Field required"
    assert log.path.read_bytes().endswith(b"required\n")


@pytest.mark.parametrize("piece", [1, 7, 64, 100_000])
def test_a_log_is_rotated_while_it_is_written_and_no_line_is_cut_or_lost(
    log: ServiceLog, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(service_log, "KEEP_BYTES", 1000)
    lines = b"".join(b'{"level": "error", "event": "number %d"}\n' % n for n in range(40))
    for start in range(0, len(lines), piece):
        log.write(lines[start : start + piece])
        assert log.path.stat().st_size <= 1000
    assert len(log.new_errors()) == 40
    earlier = log.path.with_suffix(".log.1").read_bytes()
    assert len(earlier) <= 1000
    assert lines.endswith(kept(log))
    if piece > 64:
        # With less of a line at a time, it may be cut where the files meet.
        assert earlier.endswith(b"\n")


def test_a_line_without_an_end_does_not_fill_the_disk(
    log: ServiceLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_log, "KEEP_BYTES", 1000)
    for _ in range(100):
        log.write(b"x" * 333)
    assert len(kept(log)) <= 2000


def test_a_log_that_an_earlier_run_has_left_too_large_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "crm.log").write_bytes(b"x" * (service_log.KEEP_BYTES + 1))
    log = ServiceLog(tmp_path / "crm.log")
    log.write(STARTED)
    assert log.path.read_bytes() == STARTED
    assert (tmp_path / "crm.log.1").stat().st_size > service_log.KEEP_BYTES
    log.close()
