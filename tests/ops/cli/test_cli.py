"""The command as an operator meets it: one clear line for a mistake, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.servers.ports import free_port
from ops.servers.server_process import owned


def realtoros(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    ours = ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "GATEWAY_PORT")
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-P", "-m", "ops.cli", *arguments],
        cwd=folder,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    return line


COMMANDS = ["up", "demo", "run", "status", "import", "topics", "indexes"]


def test_help_names_every_command(tmp_path: Path) -> None:
    done = realtoros(tmp_path, "--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in COMMANDS)


def test_an_up_on_a_folder_in_use_refuses(tmp_path: Path) -> None:
    with owned(tmp_path / ".realtoros" / "up"):
        line = only_line(realtoros(tmp_path, "up"))
    assert line.startswith("realtoros: ")
    assert "is in use by another realtoros process" in line


def test_a_fresh_demo_does_not_delete_what_is_in_use(tmp_path: Path) -> None:
    folder = tmp_path / ".realtoros" / "demo"
    (folder / "mail").mkdir(parents=True)
    with owned(folder):
        line = only_line(realtoros(tmp_path, "demo", "--fresh"))
    assert "is in use" in line
    assert (folder / "mail").exists()


def test_a_fresh_demo_on_servers_of_ones_own_refuses(tmp_path: Path) -> None:
    done = realtoros(tmp_path, "demo", "--fresh", MONGODB_URI="mongodb://127.0.0.1:1")
    assert "MONGODB_URI names another server" in only_line(done)


def test_a_demo_of_no_leads_refuses_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("name,email\nAnn,nowhere\n")
    done = realtoros(tmp_path, "demo", "none.csv")
    assert "none.csv has no valid lead" in only_line(done)
    assert "line 2: email" in done.stdout
    assert not (tmp_path / ".realtoros").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "none.csv"], "cannot read none.csv: No such file or directory"),
        (["import", "none.csv", "--map", "Kontakt"], "--map Kontakt: write COLUMN=FIELD"),
        (["status", "--url", "nowhere"], "“nowhere” is not a URL"),
        (["topics", "apply"], "KAFKA_BOOTSTRAP_SERVERS is not set"),
        (["indexes", "apply"], "MONGODB_URI is not set"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    assert message in only_line(realtoros(tmp_path, *arguments))


def test_status_says_when_nothing_answers(tmp_path: Path) -> None:
    done = realtoros(tmp_path, "status", GATEWAY_PORT=str(free_port()))
    assert "is `realtoros up` running?" in only_line(done)


def test_a_service_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    done = realtoros(tmp_path, "run", "accounting")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
