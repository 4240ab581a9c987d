"""What describes the messages for others is as generated, whole, and valid."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from contracts.catalogue import TOPICS, TYPES
from contracts.describing import files

PARSER = "@asyncapi/parser@3.6.3"
# A registry that does not answer is no reason to fail; npm itself waits for minutes.
INSTALL_SECONDS = 60
ERRORS = Path(__file__).parent / "asyncapi_errors.mjs"


def test_the_committed_files_are_as_generated() -> None:
    assert not files.differing(), "run .venv/bin/python -m contracts.describing.files"


def test_the_command_says_equal() -> None:
    command = [sys.executable, "-m", "contracts.describing.files", "--check"]
    ran = subprocess.run(command, cwd=files.ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "equal\n"


def test_a_difference_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copied = shutil.copytree(files.SCHEMAS, tmp_path / "schemas")
    monkeypatch.setattr(files, "SCHEMAS", copied)
    (copied / "realtoros.Gone.v1.json").write_text("{}")
    (copied / "realtoros.EmailSent.v1.json").unlink()
    (copied / "realtoros.EmailOpened.v1.json").write_text("{}")
    assert files.differing() == [
        "realtoros.EmailOpened.v1.json",
        "realtoros.EmailSent.v1.json",
        "realtoros.Gone.v1.json",
    ]


def test_every_type_and_topic_is_told_of() -> None:
    words = files.EVENTS.read_text()
    for name, type_ in TYPES.items():
        assert f"### {type_.__name__}\n\n{(type_.__doc__ or '').splitlines()[0]}" in words
        assert f"ce_type: {name}\n" in words
    document = yaml.safe_load(files.ASYNCAPI.read_text())
    assert document["channels"].keys() == {topic.name for topic in TOPICS}
    assert document["components"]["messages"].keys() == TYPES.keys()


@pytest.fixture(scope="session")
def parser() -> Path:
    """The folder of AsyncAPI's own parser, installed once. Its CLI would take 450 MB."""
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        pytest.skip("node and npm are missing: AsyncAPI's own parser cannot be run")
    folder = files.ROOT / ".cache" / PARSER.replace("/", "-")
    if not (folder / "installed").exists():
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        command = [npm, "install", *options, "--fetch-retries=1", "--prefix", str(folder), PARSER]
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            pytest.skip(f"npm cannot install {PARSER} in {INSTALL_SECONDS} s")
        if ran.returncode:
            pytest.skip(f"npm cannot install {PARSER}: {' '.join(ran.stderr.split()[:12])}")
        (folder / "installed").touch()
    return folder


def errors(parser: Path, document: Path) -> list[str]:
    command = ["node", str(ERRORS), str(parser), str(document)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_asyncapi_s_own_parser_finds_nothing_wrong(parser: Path) -> None:
    assert not errors(parser, files.ASYNCAPI)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("'#/channels/emails'", "'#/channels/email'", "email"),
        ("action: send", "action: sends", "action"),
        ("attempt: 2\n", "attempt: two\n", "attempt must be integer"),
        ("ce_streamversion: '7'", "ce_streamversion: '0'", "ce_streamversion must match"),
    ],
)
def test_it_would_find_a_wrong_reference_word_or_example(
    parser: Path, tmp_path: Path, right: str, wrong: str, said: str
) -> None:
    document = tmp_path / "asyncapi.yaml"
    document.write_text(files.ASYNCAPI.read_text().replace(right, wrong, 1))
    assert said in json.dumps(errors(parser, document))
