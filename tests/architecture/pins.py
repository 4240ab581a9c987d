"""What `make lint` asks of the pins: `python -m tests.architecture.pins [FOLDER]`.

Each has hashes, and no file that it allows is yanked (PEP 592). The second is asked of the index
that pip is configured with, by its JSON API (PEP 691), and not at all with PIP_NO_INDEX. What it
does not answer in time is said in one line, and is no fault: lint works without a network, too.
"""

import asyncio
import re
import ssl
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
from pip._internal.commands import create_command
from pydantic import BaseModel, ValidationError

from tests.architecture.rooms import ROOT

IN_FLIGHT: Final = 8
REQUEST_SECONDS: Final = 10.0
ALL_SECONDS: Final = 30.0
_PIN = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)")
_HASH = re.compile(r"--hash=(sha256:\S+)")


class IndexFile(BaseModel):
    """A file of a project, as PEP 691 describes it; of `yanked`, a text is the reason."""

    hashes: dict[str, str]
    yanked: bool | str = False


class Project(BaseModel):
    """An answer of the index."""

    files: list[IndexFile]


@dataclass(frozen=True)
class Index:
    """The package index that pip would use."""

    url: str
    disabled: bool
    certificates: str | None
    proxy: str | None

    @classmethod
    def of_pip(cls) -> "Index":
        """Read pip's environment and its files, as pip itself does."""
        values = create_command("download").parser.get_default_values()
        return cls(values.index_url, bool(values.no_index), values.cert, values.proxy or None)

    def client(self) -> httpx2.AsyncClient:
        """Return a client for the index. Raises OSError for certificates that are not there."""
        return httpx2.AsyncClient(
            base_url=f"{self.url.rstrip('/')}/",
            headers={"Accept": "application/vnd.pypi.simple.v1+json"},
            verify=ssl.create_default_context(cafile=self.certificates),
            proxy=self.proxy,
            timeout=REQUEST_SECONDS,
            follow_redirects=True,
        )


@dataclass(frozen=True)
class Pin:
    """A requirement of a lock file; `project` is None where it is no pin."""

    lock: str
    text: str
    project: str | None
    hashes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.lock}: {self.text}"


def pins(folder: Path) -> Iterator[Pin]:
    """Return the requirements of all lock files."""
    for lock in sorted(folder.glob("*.txt")):
        for line in lock.read_text().replace("\\\n", " ").splitlines():
            requirement = line.strip()
            if not requirement or requirement.startswith(("#", "--")):
                continue
            pin = _PIN.match(requirement)
            yield Pin(
                f"{folder.name}/{lock.name}",
                pin[0] if pin else requirement.partition(" ")[0],
                re.sub(r"[-_.]+", "-", pin[1]).lower() if pin else None,
                frozenset(_HASH.findall(requirement)),
            )


def faults(found: Iterable[Pin]) -> list[str]:
    """Return what is wrong with the lock files themselves."""
    wrong = []
    for pin in found:
        if pin.project is None:
            wrong.append(f"{pin} is not pinned to a version: run make locks")
        elif not pin.hashes:
            wrong.append(f"{pin} has no hash: run make locks")
    return wrong


async def ask(index: Index, names: Sequence[str]) -> dict[str, Project]:
    """Return what the index says about the projects; those that it does not answer are left out."""
    if index.disabled:
        return {}
    answers: dict[str, Project] = {}
    slots = asyncio.Semaphore(IN_FLIGHT)
    async with index.client() as client:

        async def ask_one(name: str) -> None:
            async with slots:
                response = await client.get(f"{name}/")
            if response.is_success:
                answers[name] = Project.model_validate_json(response.content)

        asked = [asyncio.create_task(ask_one(name)) for name in names]
        _, late = await asyncio.wait(asked, timeout=ALL_SECONDS)
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, _NO_ANSWER):
                raise result
    return answers


_NO_ANSWER = (httpx2.HTTPError, ValidationError, asyncio.CancelledError)


def yanked(found: Iterable[Pin], answers: dict[str, Project]) -> list[str]:
    """Return the pins of which the index has withdrawn a file, each with the reason."""
    wrong = []
    for pin in found:
        answer = answers.get(pin.project or "")
        for file in answer.files if answer else ():
            if file.yanked and f"sha256:{file.hashes.get('sha256')}" in pin.hashes:
                reason = f" ({file.yanked})" if isinstance(file.yanked, str) else ""
                wrong.append(f"{pin} is yanked{reason}: run make locks")
                break
    return wrong


def main(folder: Path = ROOT / "locks") -> None:
    """Print what is wrong, and end with code 1 then."""
    found = list(pins(folder))
    names = sorted({pin.project for pin in found if pin.project})
    if not names:
        sys.exit(f"{folder} has no lock files with pins")
    answers = asyncio.run(ask(Index.of_pip(), names))
    if silent := len(names) - len(answers):
        print(f"the package index did not answer for {silent} of {len(names)} packages")  # noqa: T201
    if wrong := faults(found) + yanked(found, answers):
        sys.exit("\n".join(wrong))
    print(  # noqa: T201
        f"{folder.name}/: every pin has hashes; of {len(answers)} packages looked up none is yanked"
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
