"""Where a running `up` or `demo` serves its API, remembered in a file of its folder."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ops import accounts
from ops.errors import OperatorError
from ops.servers.ports import LOOPBACK, free_port, is_free

ROOT = Path(".realtoros")
DEFAULT_PORT = 8000
_LAST_PORT = 65_535
_COMMANDS = ("up", "demo")


def folder_of(command: str) -> Path:
    """Give the absolute data folder of `up` or `demo`, below the working directory."""
    return (ROOT / command).resolve()


def gateway_port(environment: Mapping[str, str]) -> int:
    """Choose the gateway's port: GATEWAY_PORT, which must be free, or 8000, or a free one.

    Raises OperatorError when the port asked for is taken or no port at all.
    """
    asked = environment.get("GATEWAY_PORT")
    if not asked:
        return DEFAULT_PORT if is_free(DEFAULT_PORT) else free_port()
    port = _port(asked)
    if not is_free(port):
        raise OperatorError(
            f"port {port} (GATEWAY_PORT) is taken: stop what listens there, or set another"
        )
    return port


@contextlib.contextmanager
def remembered(folder: Path, url: str, kafka: str, mongodb: str | None) -> Iterator[None]:
    """Let the `find_` functions find API, broker and embedded MongoDB of this process meanwhile.

    Another MongoDB than the embedded one is not noted: its address may hold a password.
    """
    file = folder / "api.json"
    known = {"url": url, "kafka": kafka, "mongodb": mongodb, "pid": os.getpid()}
    file.write_text(json.dumps(known) + "\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find_url(environment: Mapping[str, str]) -> str:
    """Find the API: GATEWAY_PORT, else a running `up`, else a running `demo`, else port 8000."""
    asked = environment.get("GATEWAY_PORT")
    if asked:
        return f"http://{LOOPBACK}:{_port(asked)}"
    return _running("url") or f"http://{LOOPBACK}:{DEFAULT_PORT}"


def find_kafka(environment: Mapping[str, str]) -> str:
    """Find the broker: KAFKA_BOOTSTRAP_SERVERS, else that of a running `up`, else of a `demo`.

    Raises OperatorError when there is none.
    """
    found = environment.get("KAFKA_BOOTSTRAP_SERVERS") or _running("kafka")
    if not found:
        raise OperatorError(
            "KAFKA_BOOTSTRAP_SERVERS is not set, and nothing runs in this folder: where is Kafka?"
        )
    return found


def find_mongodb(environment: Mapping[str, str]) -> str:
    """Find MongoDB: MONGODB_URI, else the embedded one of a running `up`, else of a `demo`.

    Raises OperatorError when there is none.
    """
    found = environment.get("MONGODB_URI") or _running("mongodb")
    if not found:
        raise OperatorError("MONGODB_URI is not set, and none runs in this folder: where is it?")
    return found


def find_key(environment: Mapping[str, str]) -> str | None:
    """Find what lets the command line in: REALTOROS_API_KEY, else the key of what runs here."""
    if asked := environment.get("REALTOROS_API_KEY"):
        return asked
    for command in _COMMANDS:
        if _running("url", command):
            return accounts.key_of(folder_of(command))
    return None


def _running(what: str, *commands: str) -> str | None:
    for command in commands or _COMMANDS:
        try:
            known = json.loads((folder_of(command) / "api.json").read_text())
            found, pid = known[what], int(known["pid"])
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if _lives(pid) and isinstance(found, str):
            return found
    return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _port(value: str) -> int:
    if value.isdecimal() and 0 < int(value) <= _LAST_PORT:
        return int(value)
    raise OperatorError(f"GATEWAY_PORT is “{value}”: it must be a number from 1 to {_LAST_PORT}")
