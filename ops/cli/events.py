"""`realtoros events`: the records of the topics, shown, exported and imported."""
# ruff: noqa: PLC0415, T201

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

events = typer.Typer(
    help="Records of the topics. Settings: KAFKA_BOOTSTRAP_SERVERS, KAFKA_TOPIC_PREFIX.",
    no_args_is_help=True,
)

Topics = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TOPIC …]", help="Names without the prefix.", show_default="all events"
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER")]


@events.command()
def tail(
    names: Topics = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="NAME", help="Only these types, such as EmailSent."),
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only records about this client.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="RFC 3339, or 90s, 15m, 2h, 3d ago.",
            show_default="now; with --no-follow, the beginning",
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow/--no-follow", help="Continue until Ctrl-C, or stop at the end."),
    ] = True,
    personal: Annotated[bool, typer.Option("--personal", help="Show personal data, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Show records, a line each, as they arrive, without personal data."""
    from contracts.catalogue import EVENTS, TOPICS
    from ops.local import discovery
    from ops.servers import stores
    from ops.signals import until_signalled
    from ops.topics import tail as event_tail
    from ops.topics.reader import select_topics
    from ops.topics.record_format import TopicRecord

    def show(record: TopicRecord) -> None:
        print((record.json if as_json else record.text)(personal=personal), flush=True)

    tailing = event_tail.tail(
        discovery.resolve_kafka(os.environ),
        stores.topic_prefix(os.environ),
        select_topics(names or [topic.name for topic in EVENTS], TOPICS),
        show,
        record_filter=event_tail.RecordFilter(frozenset(types or ()), client),
        since=event_tail.parse_time(since, datetime.now(UTC)) if since else None,
        follow=follow,
    )
    # "Stopping …" does not belong among records.
    asyncio.run(until_signalled(tailing, lambda _: None))


@events.command(name="export")
def export_(folder: Folder, names: Topics = None) -> None:
    """Export whole topics into a folder. The export holds personal data."""
    from contracts.catalogue import COMMANDS, EVENTS
    from ops.local import discovery
    from ops.progress_bar import progress_bar
    from ops.servers import stores
    from ops.topics import export as event_export
    from ops.topics.reader import select_topics

    topics = (*EVENTS, *COMMANDS)
    bootstrap, prefix = discovery.resolve_kafka(os.environ), stores.topic_prefix(os.environ)
    selected = select_topics(names or [topic.name for topic in topics], topics)
    with progress_bar("Exporting") as show:
        manifest = asyncio.run(event_export.export(bootstrap, prefix, selected, folder, show))
    print(f"Exported {manifest.count} records of {len(selected)} topics to {folder}")


@events.command(name="import")
def import_(folder: Folder) -> None:
    """Import an export into empty or missing topics."""
    from ops.local import discovery
    from ops.progress_bar import progress_bar
    from ops.servers import stores
    from ops.topics import restore as event_import

    bootstrap, prefix = discovery.resolve_kafka(os.environ), stores.topic_prefix(os.environ)
    with progress_bar("Importing") as show:
        manifest = asyncio.run(event_import.import_(bootstrap, prefix, folder, show))
    print(f"Imported {manifest.count} records into the topics {prefix}*")
