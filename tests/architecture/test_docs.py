"""What is written about the code is so: generated parts, links, paths, rooms."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.process.settings import Settings
from ops import describe
from tests.architecture.rooms import ROOT, modules_by_folder

PAGES = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*/**/*.md"))
    if not any(part.startswith(".") or part == "node_modules" for part in path.parts)
]
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)")
CODE_PATH = re.compile(r"`((?:contracts|chassis|services|ops|tests|docs)/[\w./-]+)`")
MODULE = re.compile(r"`([\w-]+\.py)`")


def headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles}


def test_the_generated_docs_are_as_generated() -> None:
    assert not describe.stale(), "run make describe"


def test_the_command_says_up_to_date() -> None:
    command = [sys.executable, "-m", "ops.describe", "--check"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "up to date\n"


def test_a_stale_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("settings.md", "api.md", "architecture.md", "problems.md", "openapi.json"):
        text = (describe.DOCS / name).read_text()
        (tmp_path / name).write_text(text.replace("LOG_LEVEL", "LOG_LEVELS"))
    monkeypatch.setattr(describe, "DOCS", tmp_path)
    assert describe.stale() == ["settings.md"]


def test_a_setting_without_a_description_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Undescribed(Settings):
        size: int = 1

    monkeypatch.setattr(describe, "settings_of", lambda _: Undescribed)
    with pytest.raises(ValueError, match="size needs one description"):
        describe.stale()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text()):
        path = page.parent / target if target else page
        assert path.exists(), target
        assert not heading or heading in headings(path), f"{target}#{heading}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_of_the_code_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":
        return
    for path in CODE_PATH.findall(page.read_text()):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_module_that_is_named_exists(page: Path) -> None:
    modules = {path.name for path in ROOT.glob("[!.]*/**/*.py")}
    assert not set(MODULE.findall(page.read_text())) - modules


def test_the_readme_is_short_and_names_every_room() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) < 150
    for folder in modules_by_folder():
        assert f"`{folder}/`" in text, folder
