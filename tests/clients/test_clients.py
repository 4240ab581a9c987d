"""What integrators do first: generate a client, check its types, use it. `make check-clients`.

The tools are those of locks/clients.txt and typescript/package-lock.json, in .cache/clients; Node
is that of .cache/node, so that none has to be on the machine.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.describe import OPENAPI
from tests.architecture.rooms import ROOT
from tests.servers import Server
from tests.system import KEY, system

HERE = Path(__file__).parent
TOOLS = ROOT / ".cache/clients"
BIN = TOOLS / "venv/bin"
NODE = ROOT / ".cache/node/bin"


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command to its end; return what it says, and fail with that."""
    ran = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={"PATH": f"{BIN}:{NODE}:{os.environ['PATH']}", "HOME": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
async def url(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The address of a running system."""
    folder = tmp_path_factory.mktemp("clients")
    async with system(folder, kafka, mongodb_server, prefix="clients.") as running:
        yield running.api[0]


def test_openapi_python_client(url: str, tmp_path: Path) -> None:
    package = tmp_path / "realtoros_client"
    config = HERE / "python/config.yml"
    said = run(
        *(BIN / "openapi-python-client", "generate", "--path", OPENAPI, "--meta", "none"),
        *("--config", config, "--output-path", package, "--fail-on-warning"),
        folder=tmp_path,
    )
    assert "WARNING" not in said
    shutil.copy(HERE / "python/use.py", tmp_path)
    run(BIN / "mypy", "--strict", "use.py", package.name, folder=tmp_path)
    run(BIN / "python", "use.py", url, KEY, folder=tmp_path)


def test_openapi_typescript_and_openapi_fetch(url: str, tmp_path: Path) -> None:
    shutil.copytree(HERE / "typescript", tmp_path, dirs_exist_ok=True)
    modules = tmp_path / "node_modules"
    modules.symlink_to(TOOLS / "typescript/node_modules")
    run(
        "node",
        modules / "openapi-typescript/bin/cli.js",
        OPENAPI,
        "-o",
        "schema.ts",
        folder=tmp_path,
    )
    run("node", modules / "typescript/bin/tsc", folder=tmp_path)
    run("node", "built/use.js", url, KEY, folder=tmp_path)
