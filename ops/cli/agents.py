"""`realtoros agents`: accounts, for whoever may reach the database."""
# ruff: noqa: PLC0415

import asyncio
import os
from typing import Annotated

import typer

agents = typer.Typer(help="The accounts that agents and admins log in with.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="What the agent logs in with.")]


@agents.command()
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="How the agent signs.")] = "",
    admin: Annotated[bool, typer.Option("--admin", help="May manage the other agents.")] = False,
) -> None:
    """Make an account, and print its password this once."""
    from ops import accounts
    from ops.local import discovery

    profile = accounts.profile_in({"AGENT_EMAIL": email, "AGENT_NAME": name or email})
    uri = discovery.find_mongodb(os.environ)
    login = asyncio.run(accounts.add(uri, profile, "admin" if admin else "agent"))
    typer.echo(f"Log in as {login}")


@agents.command()
def reset(email: Email) -> None:
    """Give an account a new password, print it this once, and end its log-ins."""
    from ops import accounts
    from ops.local import discovery

    typer.echo(
        f"Log in as {asyncio.run(accounts.reset(discovery.find_mongodb(os.environ), email))}"
    )
