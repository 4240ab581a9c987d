"""The Makefile's targets, with stand-ins for the commands that they run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARGUMENTS = '#!/bin/sh\nfor argument in "$@"; do echo "[$argument]"; done\n'
NO_PAGES = ("-o", "pages-if-possible")
OF_ABOVE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
# Fails where the marks are those of the second part, or of the first, as the test says.
PYTEST = """#!/bin/sh
case "$*" in
  *"not alone"*) echo first; exit {first} ;;
  *alone*) echo second; exit {second} ;;
esac
"""


def made(folder: Path, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    # The environment as it is: nothing is installed. These tests may run below a make of their
    # own, whose flags are not theirs.
    command = ["make", "--no-print-directory", "-o", ".venv/ready", f"BIN={folder}", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in OF_ABOVE}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def stand_in(file: Path, program: str) -> None:
    file.write_text(program)
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("variables", "arguments"),
    [
        ([], ["demo"]),
        (["FILE=a b.csv"], ["demo", "a b.csv"]),
        (['FILE=it\'s "so".csv', "ONCE=1"], ["demo", "--once", 'it\'s "so".csv']),
        (["FRESH=1"], ["demo", "--fresh"]),
    ],
)
def test_the_demo_takes_its_variables(
    tmp_path: Path, variables: list[str], arguments: list[str]
) -> None:
    stand_in(tmp_path / "realtoros", ARGUMENTS)
    done = made(tmp_path, *NO_PAGES, "demo", *variables)
    assert done.stdout.splitlines() == [f"[{argument}]" for argument in arguments]


def test_up_is_the_command_of_its_name(tmp_path: Path) -> None:
    stand_in(tmp_path / "realtoros", ARGUMENTS)
    assert made(tmp_path, *NO_PAGES, "up").stdout == "[up]\n"


@pytest.mark.parametrize("target", ["demo", "up"])
def test_without_the_pages_there_is_a_line_about_it_and_the_api(
    tmp_path: Path, target: str
) -> None:
    stand_in(tmp_path / "realtoros", ARGUMENTS)
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = made(tmp_path, target, cwd=tmp_path)
    line, started = done.stdout.splitlines()
    assert line.startswith("The dashboard's pages cannot be built (.cache/pages.log tells why)")
    assert started == f"[{target}]"
    assert (done.returncode, done.stderr) == (0, "")
    assert "package-lock.json" in (tmp_path / ".cache/pages.log").read_text()


@pytest.mark.parametrize("target", ["test", "test-faults", "test-kafka"])
@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (0, 0, "passed"),
        (1, 0, "FAILED: those beside each other"),
        (0, 1, "FAILED: those alone"),
        (1, 2, "FAILED: those beside each other; those alone"),
        # No test wants the machine alone.
        (0, 5, "passed"),
    ],
)
def test_both_parts_run_and_one_verdict_ends_them(
    tmp_path: Path, target: str, first: int, second: int, verdict: str
) -> None:
    stand_in(tmp_path / "pytest", PYTEST.format(first=first, second=second))
    done = made(tmp_path, target)
    assert done.stdout.splitlines() == ["first", "second", f"{target}: {verdict}"]
    assert (done.returncode == 0) == (verdict == "passed")
