"""`realtoros agents`: accounts, for operators who can reach the database."""
# ruff: noqa: PLC0415

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

agents = typer.Typer(
    help="Accounts of agents and admins."
    " Settings: MONGODB_URI, MONGODB_DATABASE_PREFIX, PUBLIC_URL.",
    no_args_is_help=True,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of accounts and API keys.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The email to log in with.")]


@agents.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="The name under the agent's emails.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="May manage the other agents.")] = False,
) -> None:
    """Add an account, and print its password, only this once."""
    from ops import accounts
    from ops.local import discovery

    profile = accounts.checked_profile("{}", email=email, name=name or email)
    uri = discovery.resolve_mongodb(os.environ)
    added = asyncio.run(accounts.add_account(uri, profile, "admin" if admin else "agent"))
    typer.echo(f"Log in as {added}")


@agents.command()
def reset(email: Email) -> None:
    """Set a new password, print it, only this once, and end the account's sessions."""
    from ops import accounts
    from ops.local import discovery

    uri = discovery.resolve_mongodb(os.environ)
    typer.echo(f"Log in as {asyncio.run(accounts.reset_password(uri, email))}")


@agents.command()
def link(email: Email) -> None:
    """Print a link that logs a browser in, once, within ten minutes; a second factor is asked for.

    It is of the dashboard at PUBLIC_URL, else at what runs in this folder.
    """
    from ops import accounts
    from ops.local import discovery

    uri, url = discovery.resolve_mongodb(os.environ), discovery.resolve_public_url(os.environ)
    typer.echo(asyncio.run(accounts.add_login_link(uri, email, url)))


@agents.command()
def export(file: File) -> None:
    """Write all accounts and API keys to a new file, for a backup: no topic holds them."""
    from ops import account_backup
    from ops.local import discovery

    uri = discovery.resolve_mongodb(os.environ)
    _report("exported", asyncio.run(account_backup.export_accounts(uri, file)))


@agents.command(name="import")
def import_(file: File) -> None:
    """Insert the accounts and API keys that are missing; those that are there stay as they are."""
    from ops import account_backup
    from ops.local import discovery

    uri = discovery.resolve_mongodb(os.environ)
    _report("imported", asyncio.run(account_backup.import_accounts(uri, file)))


def _report(what: str, numbers: Mapping[str, int]) -> None:
    for name, number in numbers.items():
        typer.echo(f"{name}: {number} {what}")
