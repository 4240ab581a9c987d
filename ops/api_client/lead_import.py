"""Leads into a running system through its REST API, a few at a time."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.api_client.client import Added, ApiClient, Known, Refused
from ops.errors import OperatorError
from services.gateway.leads.parsing import Complaint, Lead, Parsed, parse
from services.gateway.leads.records import Unreadable, decode


def read_leads(file: Path) -> Parsed:
    """Read the file (UTF-8, UTF-16 or Windows-1252). Raises OperatorError when it is no use."""
    try:
        return parse(decode(file.read_bytes()))
    except OSError as error:
        raise OperatorError(f"cannot read {file}: {error.strerror}") from None
    except Unreadable as error:
        raise OperatorError(f"{file}: {error}") from None


# Enough to hide the wait for each reply; more would only queue in the gateway.
IN_FLIGHT = 16


@dataclass
class Imported:
    """What became of the leads."""

    added: list[Lead] = field(default_factory=list)
    known: list[Lead] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def taken(self) -> list[Lead]:
        """The leads that are in the system now, in the order of their lines."""
        return sorted(self.added + self.known, key=lambda lead: lead.line)

    def summary(self) -> str:
        """Say how many leads were imported, known and refused."""
        parts = [f"{len(self.added)} imported"]
        if self.known:
            parts.append(f"{len(self.known)} known already")
        if self.complaints:
            parts.append(f"{len({complaint.line for complaint in self.complaints})} refused")
        return ", ".join(parts)


async def import_leads(api: ApiClient, leads: Sequence[Lead]) -> Imported:
    """Post every lead and say what became of each. Raises Away when the API goes away."""
    imported = Imported()
    queue = iter(leads)

    async def work() -> None:
        for lead in queue:
            match await api.add_client(lead.body()):
                case Added():
                    imported.added.append(lead)
                case Known():
                    imported.known.append(lead)
                case Refused(reasons):
                    imported.complaints += (Complaint(lead.line, *reason) for reason in reasons)

    workers = [asyncio.create_task(work()) for _ in range(min(IN_FLIGHT, len(leads)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
    imported.complaints.sort(key=lambda complaint: complaint.line)
    return imported


async def import_file(file: Path, url: str, key: str | None, say: Callable[[str], None]) -> int:
    """Import a CSV into the system at `url`; give 1 when a line is no good, else 0.

    Complaints go to stderr, a line each. Raises OperatorError when the file is no use, and Away.
    """
    parsed = read_leads(file)
    async with ApiClient(url, key) as api:
        # A system that is not there should be told at once, not after a minute's patience.
        await api.readiness()
        imported = await import_leads(api, parsed.leads)
    imported.complaints = sorted(
        [*parsed.complaints, *imported.complaints], key=lambda complaint: complaint.line
    )
    for complaint in imported.complaints:
        print(f"{file.name}, {complaint}", file=sys.stderr)  # noqa: T201
    say(f"{file.name} to {url}: {imported.summary()}")
    return 1 if imported.complaints else 0
