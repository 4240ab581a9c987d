"""The whole system on this machine: the servers, then the services, started, watched, stopped."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from contracts.services import SERVICES
from ops import accounts
from ops.local import discovery
from ops.local.readiness import wait_until_ready
from ops.local.service_environment import environment_of
from ops.local.service_log import ServiceLog
from ops.local.supervised_process import SupervisedProcess
from ops.servers.ports import LOOPBACK, free_ports
from ops.servers.server_process import owned
from ops.servers.stores import (
    Servers,
    apply_indexes,
    apply_topics,
    running_servers,
    topic_prefix,
)

STOP_SECONDS = 25.0
# Without Kafka, a service has nothing to finish.
SUSPEND_SECONDS = 5.0
# -P: a folder called `ops` or `services` in the working directory is not ours.
RUN = (sys.executable, "-P", "-m", "ops.cli", "run")
# The dashboard's, of this checkout, once `make pages` has built them.
PAGES = Path(__file__).parents[2] / "frontend" / "out"
Say = Callable[[str], None]


@dataclass(frozen=True)
class System:
    """The addresses and folders of a running RealtorOS; `dashboard` is None without its pages."""

    url: str
    dashboard: str | None
    folder: Path
    mail: str
    servers: Servers
    api_key: str
    metrics: Mapping[str, str]

    def describe(self) -> list[str]:
        """Return a line each for dashboard, API, mail, logs, metrics and servers."""
        pages = self.dashboard or "none are built: make pages"
        log_in = " (a link that logs you in: realtoros agents link EMAIL)" if self.dashboard else ""
        return [
            f"Pages    {pages}{log_in}",
            f"API      {self.url} (schema: {self.url}/schema)",
            f"Mail     {self.mail}",
            f"Logs     {self.folder / 'logs'}",
            f"Metrics  {', '.join(f'{name} {port}' for name, port in self.metrics.items())}",
            *self.servers.describe(),
        ]


@contextlib.asynccontextmanager
async def running_system(
    folder: Path, environment: Mapping[str, str], say: Say
) -> AsyncIterator[System]:
    """Run everything with its data in the folder, and yield once every service is ready.

    `say` gets the messages for the terminal. Leaving stops the services (within
    25 s each, all at once), then the embedded servers. Raises OperatorError,
    ops.servers.embedded.Unavailable, ops.servers.server_process.InUse or NotStarted.
    """
    # It holds emails to clients: private on a shared machine.
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(owned(folder))
        port = discovery.gateway_port(environment)
        if not environment.get("GATEWAY_PORT") and port != discovery.DEFAULT_PORT:
            say(f"Port {discovery.DEFAULT_PORT} is taken: the API will be on port {port}.")
        children: list[SupervisedProcess] = []
        servers = await stack.enter_async_context(
            running_servers(folder, environment, say, partial(_suspended, children))
        )
        await apply_topics(servers.kafka, topic_prefix(environment))
        await apply_indexes(servers.mongodb)
        api_key = await accounts.ensure_api_key(
            servers.mongodb, folder, environment, lambda admin: say(f"Log in as {admin}.")
        )
        settings = _settings(folder, environment, servers, port)
        say(f"Starting {', '.join(SERVICES)} …")
        host = environment.get("HOST") or LOOPBACK
        address = LOOPBACK if host in ("0.0.0.0", "::") else host  # noqa: S104 - only compared
        children += _children(folder, settings, say)
        await stack.enter_async_context(_supervised(children, say))
        urls = {
            child: f"http://{address}:{settings[child.name][_port_of(child.name)]}"
            for child in children
        }
        await wait_until_ready(urls)
        url, public_url = f"http://{address}:{port}", settings["gateway"]["PUBLIC_URL"]
        mongodb = servers.mongodb if servers.mongodb_is_embedded else None
        services = {child.name: address for child, address in urls.items()}
        addresses = discovery.address_file(
            folder, url, public_url, str(servers.kafka), mongodb, services
        )
        stack.enter_context(addresses)
        mail = _mail(environment, settings["mailer"]["MAILBOX_DIR"])
        yield System(
            url=url,
            dashboard=f"{public_url.rstrip('/')}/" if _has_pages(settings["gateway"]) else None,
            folder=folder,
            mail=mail,
            servers=servers,
            api_key=api_key,
            metrics={name: own["METRICS_PORT"] for name, own in settings.items()},
        )


def _settings(
    folder: Path, environment: Mapping[str, str], servers: Servers, port: int
) -> dict[str, dict[str, str]]:
    """Return each service's whole environment."""
    common = {
        **environment,
        "KAFKA_BOOTSTRAP_SERVERS": str(servers.kafka),
        "MAILBOX_DIR": environment.get("MAILBOX_DIR") or str(folder / "mail"),
        "GATEWAY_PORT": str(port),
    }
    if not common.get("PUBLIC_URL"):
        common["PUBLIC_URL"] = f"http://localhost:{port}"
    if not common.get("PAGES_DIR") and _has_pages({"PAGES_DIR": str(PAGES)}):
        common["PAGES_DIR"] = str(PAGES)
    for keys in ("TOKEN_KEYS", "UNSUBSCRIBE_KEYS"):
        if not common.get(keys) and not common.get(f"{keys}_FILE"):
            common[keys] = accounts.ensure_keys(folder, keys)
    if servers.kafka_is_embedded:
        common.setdefault("KAFKA_EMPTY_FETCH_HOLD_MS", "100")
    ports = free_ports(2 * len(SERVICES))
    health, metrics = ports[: len(SERVICES)], ports[len(SERVICES) :]
    if environment.get("METRICS_PORT", "0") not in ("", "0"):
        metrics = discovery.consecutive_ports(environment, "METRICS_PORT", len(SERVICES))
    # The addresses are those of `servers`, wherever they were read.
    common.pop("MONGODB_URI_FILE", None)
    return {
        name: {
            **({"KAFKA_GROUP_INSTANCE_ID": name} if servers.kafka_is_embedded else {}),
            **environment_of(name, common),
            "MONGODB_URI": servers.mongodb_of.get(name, servers.mongodb),
            "HEALTH_PORT": str(health[number]),
            "METRICS_PORT": str(metrics[number]),
        }
        for number, name in enumerate(SERVICES)
    }


def _has_pages(environment: Mapping[str, str]) -> bool:
    folder = environment.get("PAGES_DIR")
    return bool(folder and Path(folder, "index.html").is_file())


def _port_of(service: str) -> str:
    return "GATEWAY_PORT" if service == "gateway" else "HEALTH_PORT"


def _mail(environment: Mapping[str, str], mailbox: str) -> str:
    if smtp := environment.get("SMTP_URL"):
        # Before the host there may be a password.
        return f"SMTP {urlsplit(smtp).netloc.rpartition('@')[2]}"
    if not environment.get("SENDGRID_API_KEY"):
        return mailbox
    return " ".join(["SendGrid", environment.get("SENDGRID_BASE_URL", "")]).strip()


def _children(
    folder: Path, settings: Mapping[str, Mapping[str, str]], say: Say
) -> list[SupervisedProcess]:
    return [
        SupervisedProcess(
            name,
            [*RUN, name],
            settings[name],
            ServiceLog(folder / "logs" / f"{name}.log"),
            say=say,
        )
        for name in SERVICES
    ]


@contextlib.asynccontextmanager
async def _supervised(children: Sequence[SupervisedProcess], say: Say) -> AsyncIterator[None]:
    """Keep the children running meanwhile, and report the errors that they log."""
    runs = {child: asyncio.create_task(child.keep_running()) for child in children}
    watch = asyncio.create_task(_report_errors(children, say))
    try:
        yield
    finally:
        watch.cancel()
        for child in children:
            child.stop()
        _, late = await asyncio.wait(runs.values(), timeout=STOP_SECONDS)
        for child, run in runs.items():
            if run in late:
                say(f"{child.name} did not stop in {STOP_SECONDS:.0f} s: killing it")
                child.kill()
        await asyncio.gather(*runs.values())
        for child in children:
            child.log.close()


@contextlib.asynccontextmanager
async def _suspended(children: Sequence[SupervisedProcess]) -> AsyncIterator[None]:
    """Have no service running meanwhile; at its start each compares its log with the topics."""
    async with contextlib.AsyncExitStack() as stack:
        entered = (
            stack.enter_async_context(child.suspended(SUSPEND_SECONDS)) for child in children
        )
        await asyncio.gather(*entered)
        yield


async def _report_errors(children: Sequence[SupervisedProcess], say: Say) -> None:
    while True:
        await asyncio.sleep(1)
        for child in children:
            errors = child.log.new_errors()
            more = f" (and {len(errors) - 1} more in its log)" if len(errors) > 1 else ""
            # One that is suspended has lost its Kafka, of which everybody has been told.
            if errors and not child.is_suspended:
                say(f"{child.name}: {errors[-1]}{more}")


async def run_up(folder: Path, environment: Mapping[str, str], say: Say) -> int:
    """Run everything until cancelled."""
    async with running_system(folder, environment, say) as system:
        say("RealtorOS is up. Ctrl-C stops it; follow-ups go on at the next start.")
        for line in system.describe():
            say(f"  {line}")
        await asyncio.Event().wait()
    return 0
