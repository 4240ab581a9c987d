"""The addresses of a running `up` or `demo`, found through a file in its folder."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from chassis.kafka.servers import KafkaServers
from chassis.start.secret_files import read_secret
from ops import accounts
from ops.errors import OperatorError
from ops.servers.mongodb_users import OPERATOR, uri_of
from ops.servers.ports import LOOPBACK, free_port, is_free
from ops.servers.stores import MONGODB_FOLDER, kafka_servers, without_credentials

ROOT = Path(".realtoros")
DEFAULT_PORT = 8000
_LAST_PORT = 65_535
_COMMANDS = ("up", "demo")

T = TypeVar("T", str, dict[str, str])


def folder_of(command: str) -> Path:
    """Return the absolute data folder of `up` or `demo`, below the working directory."""
    return (ROOT / command).resolve()


def gateway_port(environment: Mapping[str, str]) -> int:
    """Return the gateway's port: GATEWAY_PORT, which must be free, or 8000, or a free one.

    Raises OperatorError when GATEWAY_PORT is taken or invalid.
    """
    asked = environment.get("GATEWAY_PORT")
    if not asked:
        return DEFAULT_PORT if is_free(DEFAULT_PORT) else free_port()
    port = _parse_port(asked)
    if not is_free(port):
        raise OperatorError(
            f"port {port} (GATEWAY_PORT) is taken: stop what listens there, or set another"
        )
    return port


def consecutive_ports(environment: Mapping[str, str], setting: str, number: int) -> list[int]:
    """Return as many ports from that of the setting on. Raises OperatorError when it is invalid."""
    first = _parse_port(environment[setting], setting, _LAST_PORT - number + 1)
    return list(range(first, first + number))


@contextlib.contextmanager
def address_file(
    folder: Path,
    url: str,
    public_url: str,
    kafka: str,
    mongodb: str | None,
    services: Mapping[str, str],
) -> Iterator[None]:
    """Write the addresses of API, broker, embedded MongoDB and services to `api.json` meanwhile.

    It holds no password: MongoDB's URI is written without, and `resolve_mongodb` adds it.
    """
    file = folder / "api.json"
    server = mongodb and without_credentials(mongodb)
    addresses = {
        "url": url,
        "public_url": public_url,
        "kafka": kafka,
        "mongodb": server,
        "services": dict(services),
        "pid": os.getpid(),
    }
    file.write_text(f"{json.dumps(addresses)}\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def resolve_url(environment: Mapping[str, str]) -> str:
    """Return the API's URL: at GATEWAY_PORT, else of a running `up` or `demo`, else port 8000."""
    asked = environment.get("GATEWAY_PORT")
    if asked:
        return f"http://{LOOPBACK}:{_parse_port(asked)}"
    return _running("url", str) or f"http://{LOOPBACK}:{DEFAULT_PORT}"


def resolve_public_url(environment: Mapping[str, str]) -> str:
    """Return where browsers reach the API: PUBLIC_URL, else that of a running `up` or `demo`.

    Else it is the gateway's default.
    """
    found = environment.get("PUBLIC_URL") or _running("public_url", str)
    return found or f"http://localhost:{DEFAULT_PORT}"


def service_urls(environment: Mapping[str, str]) -> dict[str, str]:
    """Return where each service of a running `up` or `demo` serves its health; none elsewhere."""
    asked = environment.get("GATEWAY_PORT")
    if asked and urlsplit(_running("url", str) or "").port != _parse_port(asked):
        return {}
    return _running("services", dict) or {}


def resolve_kafka(environment: Mapping[str, str]) -> KafkaServers:
    """Return the Kafka of KAFKA_BOOTSTRAP_SERVERS, else that of a running `up` or `demo`.

    Raises OperatorError when there is none, StartError for a wrong setting.
    """
    if environment.get("KAFKA_BOOTSTRAP_SERVERS"):
        return kafka_servers(environment)
    found = _running("kafka", str)
    if not found:
        raise OperatorError(
            "KAFKA_BOOTSTRAP_SERVERS is not set, and nothing runs in this folder: set it, or run"
            " this where `realtoros up` was started"
        )
    return KafkaServers(found)


def resolve_mongodb(environment: Mapping[str, str]) -> str:
    """Return MongoDB's URI: MONGODB_URI, else the operator's of a running `up` or `demo`.

    Raises OperatorError when there is none.
    """
    if asked := read_secret(environment, "MONGODB_URI"):
        return asked
    for command in _COMMANDS:
        if address := _running("mongodb", str, command):
            return uri_of(OPERATOR, folder_of(command) / MONGODB_FOLDER, address)
    raise OperatorError(
        "MONGODB_URI is not set, and no MongoDB runs in this folder: set it, or run this where"
        " `realtoros up` was started"
    )


def resolve_api_key(environment: Mapping[str, str]) -> str | None:
    """Return the API key: REALTOROS_API_KEY, else that of a running `up` or `demo`."""
    if asked := read_secret(environment, "REALTOROS_API_KEY"):
        return asked
    for command in _COMMANDS:
        if _running("url", str, command):
            return accounts.read_api_key(folder_of(command))
    return None


def _running(what: str, type_: type[T], *commands: str) -> T | None:
    for command in commands or _COMMANDS:
        try:
            addresses = json.loads((folder_of(command) / "api.json").read_text())
            found, pid = addresses[what], int(addresses["pid"])
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if _is_alive(pid) and isinstance(found, type_):
            return found
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _parse_port(value: str, setting: str = "GATEWAY_PORT", last: int = _LAST_PORT) -> int:
    if value.isdecimal() and 0 < int(value) <= last:
        return int(value)
    raise OperatorError(f"{setting} is “{value}”: it must be a number from 1 to {last}")
