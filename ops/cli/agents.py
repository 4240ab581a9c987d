"""`realtoros agents`: accounts, for operators who can reach the database."""
# ruff: noqa: PLC0415

import asyncio
import os
from typing import Annotated

import typer

agents = typer.Typer(help="Accounts of agents and admins.", no_args_is_help=True)
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

    profile = accounts.profile_from({"AGENT_EMAIL": email, "AGENT_NAME": name or email})
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
