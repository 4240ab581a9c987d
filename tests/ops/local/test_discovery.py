"""Which port the API gets, and how it is found again."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.errors import OperatorError
from ops.local import discovery
from ops.servers.mongodb_users import ensure_credentials
from ops.servers.ports import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def running(command: str, url: str, pid: int, **addresses: str) -> None:
    folder = discovery.folder_of(command)
    folder.mkdir(parents=True)
    (folder / "api.json").write_text(json.dumps({"url": url, "pid": pid, **addresses}))


def test_a_free_port_stands_in_for_the_default_when_that_is_taken(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "DEFAULT_PORT", taken)
    assert discovery.gateway_port({}) != taken


def test_a_port_that_was_asked_for_is_used_or_refused(taken: int) -> None:
    with pytest.raises(OperatorError, match=rf"port {taken} \(GATEWAY_PORT\) is taken"):
        discovery.gateway_port({"GATEWAY_PORT": str(taken)})
    free = free_port()
    assert discovery.gateway_port({"GATEWAY_PORT": str(free)}) == free


@pytest.mark.parametrize("value", ["eighty", "0", "-1", "65536", "80.5"])
def test_an_invalid_port_is_refused(value: str) -> None:
    with pytest.raises(OperatorError, match="must be a number from 1 to 65535"):
        discovery.gateway_port({"GATEWAY_PORT": value})


def test_gateway_port_comes_before_all_else() -> None:
    running("up", "http://127.0.0.1:1111", os.getpid())
    assert discovery.resolve_url({"GATEWAY_PORT": "2222"}) == "http://127.0.0.1:2222"


def test_a_running_up_is_found_before_a_running_demo() -> None:
    running("demo", "http://127.0.0.1:1111", os.getpid())
    assert discovery.resolve_url({}) == "http://127.0.0.1:1111"
    running("up", "http://127.0.0.1:2222", os.getpid())
    assert discovery.resolve_url({}) == "http://127.0.0.1:2222"


def test_the_address_file_of_a_killed_up_is_ignored() -> None:
    # No process has this id: it is above what Linux gives.
    running("up", "http://127.0.0.1:1111", 2**22 + 1)
    assert discovery.resolve_url({}) == "http://127.0.0.1:8000"


def test_the_address_file_is_removed_at_the_end(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1111"
    with discovery.address_file(tmp_path, url, url, "127.0.0.1:9092", None, {}):
        assert json.loads((tmp_path / "api.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "api.json").exists()


def test_browsers_go_to_the_address_that_is_set_or_that_of_what_runs() -> None:
    assert discovery.resolve_public_url({}) == "http://localhost:8000"
    running("up", "http://127.0.0.1:1111", os.getpid(), public_url="http://localhost:1111")
    assert discovery.resolve_public_url({}) == "http://localhost:1111"
    own = {"PUBLIC_URL": "https://realtoros.example"}
    assert discovery.resolve_public_url(own) == "https://realtoros.example"


def test_the_broker_is_the_one_that_is_set_or_that_of_what_runs() -> None:
    with pytest.raises(OperatorError, match="KAFKA_BOOTSTRAP_SERVERS is not set"):
        discovery.resolve_kafka({})
    running("up", "http://127.0.0.1:1111", os.getpid(), kafka="127.0.0.1:2222")
    assert discovery.resolve_kafka({}).bootstrap == "127.0.0.1:2222"
    found = discovery.resolve_kafka({"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"})
    assert found.bootstrap == "kafka:9092"


def test_mongodb_is_the_one_that_is_set_or_the_operators_of_what_runs() -> None:
    with pytest.raises(OperatorError, match="MONGODB_URI is not set"):
        discovery.resolve_mongodb({})
    address = "mongodb://127.0.0.1:3333/?replicaSet=rs0"
    running("demo", "http://127.0.0.1:1111", os.getpid(), mongodb=address)
    # Where 0.1.0 still runs there are no users.
    assert discovery.resolve_mongodb({}) == address
    passwords = ensure_credentials(discovery.folder_of("demo") / "mongodb").passwords
    operators = address.replace("://", f"://operator:{passwords['operator']}@")
    assert discovery.resolve_mongodb({}) == operators
    assert discovery.resolve_mongodb({"MONGODB_URI": "mongodb://own"}) == "mongodb://own"


def test_the_services_are_those_of_what_runs_at_the_port() -> None:
    folder = discovery.folder_of("up")
    folder.mkdir(parents=True)
    services = {"composer": "http://127.0.0.1:3333"}
    addresses = {"url": "http://127.0.0.1:2222", "pid": os.getpid(), "services": services}
    (folder / "api.json").write_text(json.dumps(addresses))
    assert discovery.service_urls({}) == services
    assert discovery.service_urls({"GATEWAY_PORT": "2222"}) == services
    assert discovery.service_urls({"GATEWAY_PORT": "4444"}) == {}
