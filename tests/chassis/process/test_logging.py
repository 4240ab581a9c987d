"""Logs: one JSON object per line, with ids, without personal data."""

import json
import subprocess
import sys
import textwrap
from typing import Any


def lines_of(script: str) -> list[dict[str, Any]]:
    """Run the script in a process of its own, since logging is global."""
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stderr == ""
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_line_is_a_fact_with_its_ids_the_time_and_the_service() -> None:
    [line] = lines_of(
        """
        import structlog
        from chassis.process.logging import configure_logging
        configure_logging("crm", "info")
        log = structlog.get_logger("a.module")
        with structlog.contextvars.bound_contextvars(correlation="c1"):
            log.info("email_sent", email_id="e1")
        log.debug("not_shown")
        """
    )
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "email_sent",
        "email_id": "e1",
        "correlation": "c1",
        "service": "crm",
        "level": "info",
        "logger": "a.module",
    }


def test_libraries_log_as_json_too_and_the_chatty_ones_only_warnings() -> None:
    names = [
        line["logger"]
        for line in lines_of(
            """
        import logging
        from chassis.process.logging import configure_logging
        configure_logging("crm", "INFO")
        for name in ("some.library", "httpx2", "aiohttp.client", "aiokafka", "pymongo", "uvicorn"):
            logging.getLogger(name).info("multi\\nline %s", name)
        logging.getLogger("aiokafka").warning("heard")
        """
        )
    ]
    assert names == ["some.library", "aiokafka"]


def test_an_exception_is_one_line_without_the_variables_or_inputs_of_its_frames() -> None:
    [line] = lines_of(
        """
        import structlog
        from chassis.process.logging import configure_logging
        from contracts.crm import NewClientDetails
        configure_logging("crm", "INFO")
        def decide(name, email):
            personal = {"notes": "canary-1"}
            NewClientDetails(name=name, email=email, notes=personal["notes"] * 200)
        try:
            decide("canary-2", "canary-3")
        except Exception:
            structlog.get_logger().exception("decision_failed", event_id="e1")
        """
    )
    assert line["event"] == "decision_failed"
    assert line["exception"][0]["exc_type"] == "ValidationError"
    assert [frame["name"] for frame in line["exception"][0]["frames"]][:2] == ["<module>", "decide"]
    assert "canary" not in json.dumps(line)
