"""The command as an operator meets it: one clear line for a mistake, never a traceback."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
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


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("up", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "GATEWAY_PORT", "PUBLIC_URL"]),
        ("demo", ["FOLLOWUP_DAY_SECONDS"]),
        ("run", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"]),
        ("status", ["GATEWAY_PORT", "REALTOROS_API_KEY", "KAFKA_BOOTSTRAP_SERVERS"]),
        ("import", ["GATEWAY_PORT", "REALTOROS_API_KEY"]),
        ("doctor", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"]),
        ("topics", ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC_PREFIX"]),
        ("events", ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC_PREFIX"]),
        ("quarantine", ["KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC_PREFIX"]),
        ("indexes", ["MONGODB_URI", "MONGODB_DATABASE_PREFIX"]),
        ("agents", ["MONGODB_URI", "MONGODB_DATABASE_PREFIX", "PUBLIC_URL"]),
        ("replay", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"]),
        ("republish", ["KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI"]),
    ],
)
def test_help_names_the_settings_of_a_command(
    tmp_path: Path, command: str, settings: list[str]
) -> None:
    done = realtoros(tmp_path, command, "--help", COLUMNS="200")
    assert done.returncode == 0
    assert [setting for setting in settings if setting not in done.stdout] == []


def test_the_version_is_that_of_the_package(tmp_path: Path) -> None:
    done = realtoros(tmp_path, "--version")
    assert (done.returncode, done.stdout) == (0, f"realtoros {metadata.version('realtoros')}\n")


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a file system that not even root can write to as it likes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_read_only_folder_is_one_clear_line(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "ro") as folder:
        line = only_line(realtoros(folder, "up"))
    assert line == (
        f"realtoros: {folder / '.realtoros'}: Read-only file system;"
        " use a folder that you may write to"
    )


# From one on which not even a password fits to one on which MongoDB has no room.
@pytest.mark.parametrize("size", ["4k", "1m"])
def test_a_full_disk_is_one_clear_line(tmp_path: Path, size: str) -> None:
    with mounted(tmp_path / "disk", f"size={size}") as folder:
        done = realtoros(folder, "up")
    line = only_line(done)
    assert line.startswith("realtoros: ")
    # If MongoDB ended in the middle of the start, it is said before.
    said = done.stdout + line
    assert "the disk is full" in said or "make room on the disk" in said
    assert '{"' not in said


def test_a_folder_that_is_none_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / ".realtoros").touch()
    for command in ("up", "demo"):
        line = only_line(realtoros(tmp_path, command))
        assert line.startswith(f"realtoros: {tmp_path / '.realtoros'}: File exists")


@pytest.mark.parametrize(
    "email", ["notanemail", "a@", "@b.example", "a b@c.example", "a@b@c.example", "a@b..example"]
)
def test_an_account_needs_an_email_address(tmp_path: Path, email: str) -> None:
    line = only_line(realtoros(tmp_path, "agents", "add", email))
    assert line.startswith(f"realtoros: EMAIL “{email}”: ")


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
