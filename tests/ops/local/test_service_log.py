"""What the terminal shows of a service's log."""

from pathlib import Path

from ops.local import service_log
from ops.local.service_log import ServiceLog

FAILED = '{"level": "error", "event": "email_failed", "error": "no route"}\n'
STARTED = '{"level": "info", "event": "started"}\n'


def test_errors_are_returned_once(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "crm.log")
    log.path.write_text(STARTED + FAILED + "not json\n")
    assert log.new_errors() == ["email_failed: no route"]
    assert log.new_errors() == []


def test_errors_of_an_earlier_run_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "crm.log").write_text(FAILED)
    assert ServiceLog(tmp_path / "crm.log").new_errors() == []


def test_a_line_is_read_once_it_is_complete(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "crm.log")
    log.path.write_text(FAILED[:20])
    assert log.new_errors() == []
    log.path.write_text(FAILED)
    assert log.new_errors() == ["email_failed: no route"]


def test_an_exception_is_shown_as_what_was_raised(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "crm.log")
    log.path.write_text(
        '{"level": "error", "event": "bug", "exception": [{"exc_type": "E", "exc_value": "v"}]}\n'
        '{"level": "error", "event": "bug", "exception": "Traceback:\\n  line\\nE: w"}\n'
    )
    assert log.new_errors() == ["bug: E: v", "bug: E: w"]


def test_the_exit_reason_is_the_newest_error_else_the_last_event(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "crm.log")
    assert log.exit_reason() == "it wrote nothing"
    log.path.write_text(FAILED + STARTED)
    assert log.exit_reason() == "email_failed: no route"
    with log.path.open("a") as file:
        file.write(STARTED)
    assert log.exit_reason() == "started"


def test_the_interpreters_last_line_comes_before_logged_errors(tmp_path: Path) -> None:
    log = ServiceLog(tmp_path / "crm.log")
    log.path.write_text(FAILED + "realtoros: wrong setting: MONGODB_URI: Field required\n")
    assert log.exit_reason() == "realtoros: wrong setting: MONGODB_URI: Field required"


def test_a_log_that_has_grown_large_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "crm.log").write_bytes(b"x" * (service_log.KEEP_BYTES + 1))
    ServiceLog(tmp_path / "crm.log")
    assert (tmp_path / "crm.log").stat().st_size == 0
    assert (tmp_path / "crm.log.1").stat().st_size > service_log.KEEP_BYTES
