"""Apache Kafka itself without Docker: its jars from Maven Central, run by a Java 17 or newer."""

import asyncio
import contextlib
import hashlib
import re
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ops.servers.ports import LOOPBACK, remembered_port
from ops.servers.probes import has_brokers
from ops.servers.server_process import end_orphan, owned, running

_POM = Path(__file__).parent / "apache-kafka" / "pom.xml"
_CACHE = Path(__file__).parents[2] / ".cache" / "apache-kafka"

# One node as broker and controller: starts fast, admits groups at once, small on disk.
_PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners={listener}://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners={listener}://{host}:{advertised}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers={host}:{controller}
log.dirs={logs}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""


class NotAvailable(Exception):
    """Apache Kafka cannot be started here; the message says what is missing."""


async def jars() -> Path:
    """Return the folder with Kafka's jars, downloaded by Maven once per version of the POM.

    Raises NotAvailable.
    """
    folder = _CACHE / hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    if folder.is_dir():
        return folder
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise NotAvailable(
                f"no Docker engine answers and there is no {program} (Java 17, Maven)"
            )
    unfinished = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}")
    await _run(
        *("mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"),
        f"-DoutputDirectory={unfinished}",
    )
    # A folder with the final name is complete; a process that renames second drops its own copy.
    try:
        unfinished.rename(folder)
    except OSError:
        shutil.rmtree(unfinished)
    return folder


def version(folder: Path) -> str:
    """Return the version of Kafka in the jars."""
    names = [re.fullmatch(r"kafka_[\d.]+-(.+)\.jar", jar.name) for jar in folder.iterdir()]
    return next(name[1] for name in names if name)


@contextlib.asynccontextmanager
async def kafka(
    jars: Path,
    data: Path,
    *,
    host: str = LOOPBACK,
    advertised: int | None = None,
    listener: str = "PLAINTEXT",
    properties: str = "",
    users: Mapping[str, str] | None = None,
) -> AsyncIterator[str]:
    """Run one broker with its data in this folder; yield its `host:port`.

    `host`: its own address. `advertised`: the port that clients are directed to, if another.
    `listener`: the security protocol that clients speak; `properties` are added to the broker's;
    `users` are those of SCRAM-SHA-512, with their passwords.
    Raises NotAvailable or ops.servers.server_process.NotStarted.
    """
    java = _java(jars)
    with owned(data) as folder:
        await end_orphan("kafka", folder)
        port, logs = remembered_port(folder), folder / "logs"
        logs.mkdir(exist_ok=True)
        file = folder / "server.properties"
        file.write_text(
            _PROPERTIES.format(
                listener=listener,
                host=host,
                port=port,
                advertised=advertised or port,
                controller=remembered_port(logs),
                logs=logs,
            )
            + properties
        )
        # A formatted folder belongs to a cluster; another cluster id would be refused.
        if not (logs / "meta.properties").exists():
            storage = ("kafka.tools.StorageTool", "format", "--standalone")
            cluster = uuid.uuid4().hex[:22]
            known = [
                option
                for name, password in (users or {}).items()
                for option in ("--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]")
            ]
            await _run(*java, *storage, "--cluster-id", cluster, "--config", str(file), *known)
        command = [*java, "kafka.Kafka", str(file)]

        async def answers() -> bool:
            is_plain = listener == "PLAINTEXT"
            return await (has_brokers(port) if is_plain else _listens(host, port))

        async with running("kafka", command, folder, answers):
            yield f"{host}:{port}"


async def run_java(*command: str) -> None:
    """Run one of Kafka's own commands, its main class first. Raises NotAvailable if it fails."""
    await _run(*_java(await jars()), *command)


def _java(jars: Path) -> tuple[str, ...]:
    return ("java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars}/*")


async def _listens(host: str, port: int) -> bool:
    """Return whether the broker lets anybody connect: it begins to when it has started."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        end = "\n".join(output.decode(errors="replace").splitlines()[-12:])
        raise NotAvailable(f"{command[0]} ended with {process.returncode}:\n{end}")
