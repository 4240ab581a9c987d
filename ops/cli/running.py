"""The commands that ask a running system: its state, its health, what failed, its leads."""
# ruff: noqa: PLC0415

import asyncio
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from contracts.services import SERVICES, Service
from ops.errors import OperatorError

Leads = Annotated[Path, typer.Argument(metavar="FILE.csv", help="A CSV of leads.")]
Url = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The API.", show_default="what runs in this folder"),
]
OnKnown = Literal["report", "update"]


def status(
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Print every service's health and the office's work; exit code 1 if a person is needed.

    The counts are of all agents if REALTOROS_API_KEY is an admin's. Where `realtoros up` does not
    run, GATEWAY_PORT is the API's, and Kafka at KAFKA_BOOTSTRAP_SERVERS tells which services run.
    """
    from ops.api_client import status
    from ops.local import discovery
    from ops.servers import stores
    from ops.servers.consumers import running_services

    async def ask_services() -> dict[str, str]:
        if urls := {} if url else discovery.service_urls(os.environ):
            return await status.readiness_of(urls)
        if not os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            raise OperatorError("set KAFKA_BOOTSTRAP_SERVERS to ask Kafka which run")
        # What it logs on the way to an error says less than the error.
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        servers, prefix = stores.kafka_servers(os.environ), stores.topic_prefix(os.environ)
        return await running_services(servers, prefix, runs=status.RUNS, stopped="does not run")

    api_url, key = url or discovery.resolve_url(os.environ), discovery.resolve_api_key(os.environ)
    work = status.status(api_url, key, ask_services, typer.echo, as_json=as_json)
    raise typer.Exit(asyncio.run(work))


def doctor(
    service: Annotated[
        Service | None,
        typer.Argument(metavar="[SERVICE]", help="Only what this one needs.", show_default="all"),
    ] = None,
) -> None:
    """Ask Kafka and MongoDB what services ask at their start; the exit code is a service's.

    Settings: KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI, else what `up` runs in this folder.
    """
    from ops.local import discovery
    from ops.servers import stores
    from ops.servers.doctor import diagnose

    work = diagnose(
        discovery.resolve_kafka(os.environ),
        stores.topic_prefix(os.environ),
        discovery.resolve_mongodb(os.environ),
        (service,) if service else SERVICES,
        typer.echo,
    )
    raise typer.Exit(asyncio.run(work))


def retry(
    failed: Annotated[
        bool, typer.Option("--failed", help="All failed follow-ups; an admin's key: of all agents.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Failed since: RFC 3339, or 90s, 15m, 2h, 3d ago."),
    ] = None,
    url: Url = None,
) -> None:
    """Write or send again what has failed; exit code 1 if some of it cannot be."""
    from ops.api_client.retry import retry_failed
    from ops.local import discovery
    from ops.topics.tail import parse_time

    if not failed:
        raise OperatorError("say what to retry: realtoros retry --failed [--since TIME]")
    api_url, key = url or discovery.resolve_url(os.environ), discovery.resolve_api_key(os.environ)
    start = parse_time(since, datetime.now(UTC)) if since else None
    raise typer.Exit(asyncio.run(retry_failed(api_url, key, start, typer.echo)))


def import_(
    file: Leads,
    url: Url = None,
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help="What a column means, such as “Kontakt=email”; also custom_field and ignore.",
        ),
    ] = None,
    on_known: Annotated[
        OnKnown, typer.Option(help="What becomes of clients that are there already.")
    ] = "report",
    charset: Annotated[
        str | None, typer.Option(help="The file's charset.", show_default="found out")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; show what would become of all.")
    ] = False,
) -> None:
    """Import a file of leads into the running system; exit code 1 if a line is refused.

    Settings: GATEWAY_PORT, REALTOROS_API_KEY, else those of what runs in this folder.
    """
    from ops.api_client import lead_import
    from ops.api_client.client import ImportOptions
    from ops.local import discovery

    for pair in mapped or ():
        if "=" not in pair:
            raise OperatorError(f"--map {pair}: write COLUMN=FIELD")
    mapping = dict(pair.rpartition("=")[::2] for pair in mapped or ())
    options = ImportOptions(dry_run, on_known, charset, mapping)

    api_url, key = url or discovery.resolve_url(os.environ), discovery.resolve_api_key(os.environ)
    raise typer.Exit(asyncio.run(lead_import.import_file(file, api_url, key, typer.echo, options)))
