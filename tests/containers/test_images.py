"""What is in the images, and what is not."""

import json
import subprocess

import pytest

from contracts.services import SERVICES
from tests.containers.compose import podman

VERSION = "0.1.0"
BASE = "docker.io/library/python:3.11-slim-bookworm"
LARGEST_ABOVE_BASE = 150_000_000
# A distribution that only one service's provider needs, or that no image may have.
PROVIDERS = {
    "openai": "composer",
    "jinja2": "composer",
    "sendgrid": "mailer",
    "litestar": "gateway",
}
FORBIDDEN = ("pip", "ensurepip", "fiftyone", "noida_db", "pytest")
IMAGES = (*SERVICES, "ops")


def image(name: str) -> str:
    return f"localhost/realtoros-{name}:{VERSION}"


def run(name: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a container of the image, as restricted as those of docker-compose.yml."""
    hardened = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges")
    container = ("podman", "run", "--rm", "--network=none", *hardened, "--entrypoint", command[0])
    return subprocess.run(
        [*container, image(name), *command[1:]], check=False, capture_output=True, text=True
    )


def importable(name: str, *modules: str) -> set[str]:
    found = run(
        name,
        "python",
        "-c",
        "import sys; from importlib.util import find_spec;"
        "print([m for m in sys.argv[1:] if find_spec(m)])",
        *modules,
    )
    return set(json.loads(found.stdout.replace("'", '"')))


@pytest.mark.parametrize("name", IMAGES)
def test_runs_as_10001_without_a_package_manager_or_a_compiler(name: str) -> None:
    script = "id -u; command -v pip gcc cc make; touch /opt/venv/x || echo read-only"
    assert run(name, "sh", "-c", script).stdout.split() == ["10001", "read-only"]
    assert not importable(name, *FORBIDDEN)


@pytest.mark.parametrize("name", SERVICES)
def test_holds_the_code_and_providers_of_its_service_alone(name: str) -> None:
    services = [f"services.{service}" for service in SERVICES]
    assert importable(name, *services) == {f"services.{name}"}
    wanted = {provider for provider, service in PROVIDERS.items() if service == name}
    assert importable(name, *PROVIDERS) == wanted
    assert not importable(name, "ops")


@pytest.mark.parametrize("name", IMAGES)
def test_adds_150_mb_to_the_base_at_most(name: str) -> None:
    size, base = (int(podman("inspect", "--format", "{{.Size}}", i)) for i in (image(name), BASE))
    assert size - base <= LARGEST_ABOVE_BASE


@pytest.mark.parametrize("name", IMAGES)
def test_keeps_nothing_of_the_registry_or_the_builder(name: str) -> None:
    history = podman("history", "--no-trunc", "--format", "{{.CreatedBy}}", image(name))
    labels = podman("inspect", "--format", "{{json .Labels}}", image(name))
    assert "--index-url" not in history
    assert json.loads(labels)["org.opencontainers.image.title"] == f"realtoros-{name}"
    assert run(name, "sh", "-c", "cat /etc/pip.conf").stdout == ""


def test_the_gateway_alone_has_the_dashboard_s_pages() -> None:
    folder = run("gateway", "sh", "-c", "ls $PAGES_DIR").stdout.split()
    assert {"index.html", "index.html.br", "index.html.gz", "404.html", "_next"} <= set(folder)
    assert run("gateway", "sh", "-c", "command -v node npm").stdout == ""
    assert run("crm", "sh", "-c", "echo $PAGES_DIR; ls /opt").stdout.split() == ["venv"]


def test_a_start_without_settings_names_them() -> None:
    started = subprocess.run(
        ["podman", "run", "--rm", image("crm")], check=False, capture_output=True, text=True
    )
    assert started.returncode
    assert "KAFKA_BOOTSTRAP_SERVERS" in started.stderr


def test_ops_runs_any_command() -> None:
    listed = run("ops", "realtoros", "topics", "acls").stdout
    assert "User:realtoros-crm" in listed
