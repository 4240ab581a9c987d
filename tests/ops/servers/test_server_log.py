"""Why a server ended, read from logs as MongoDB and the broker write them."""

import shutil
from pathlib import Path

import pytest

from ops.servers.server_log import exit_reason

STARTED = '{"t":{"$date":"2026-11-27T06:32:49.545+00:00"},"s":"I","c":"CONTROL","msg":"Starting"}'
FULL = (
    '{"s":"E","c":"WT","msg":"WiredTiger error message","attr":{"error":28,"message":{"msg":'
    '"__posix_file_write:621","error_str":"No space left on device","error_code":28}}}'
)
PORT = '{"s":"E","c":"NETWORK","msg":"Failed to bind","attr":{"error":{"errmsg":"Address in use"}}}'
GIVES_UP = '{"s":"F","c":"ASSERT","msg":"\\n\\n***aborting after fassert() failure\\n\\n"}'


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([STARTED, FULL, GIVES_UP], "the disk is full"),
        ([STARTED, PORT, GIVES_UP], "Failed to bind: Address in use"),
        ([STARTED, GIVES_UP], "***aborting after fassert() failure"),
        ([STARTED], "its log names no error"),
        (["noida-db 0.2.3", "error: the port is taken", ""], "error: the port is taken"),
        ([], "its log is empty"),
        (["x" * 1000], "x…"),
        ([STARTED, '{"s":"F","msg":'], "its log names no error"),
    ],
)
def test_the_reason_is_one_line_and_no_json(tmp_path: Path, lines: list[str], reason: str) -> None:
    log = tmp_path / "mongod.log"
    log.write_text("\n".join(lines))
    found = exit_reason(log)
    assert reason.removesuffix("…") in found
    assert len(found.splitlines()) == 1
    assert "{" not in found
    assert len(found) < 400


def test_a_full_disk_is_named_even_if_it_is_not_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(STARTED)
    usage = shutil.disk_usage(tmp_path)._replace(free=4096)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert exit_reason(log) == f"the disk is full ({tmp_path})"
