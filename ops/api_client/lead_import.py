"""Importing leads into a running system through its REST API, a few at a time."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ops.api_client.client import Added, ApiClient, Duplicate, Rejected
from ops.errors import OperatorError
from services.gateway.leads.parsing import Complaint, Lead, Parsed, parse
from services.gateway.leads.records import Unreadable, decode


def read_leads(file: Path) -> Parsed:
    """Read the file (UTF-8, UTF-16 or Windows-1252). Raises OperatorError."""
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
    """The result of an import."""

    added: list[Lead] = field(default_factory=list)
    duplicates: list[Lead] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)

    @property
    def present(self) -> list[Lead]:
        """The leads that are in the system now, in the order of their lines."""
        return sorted(self.added + self.duplicates, key=lambda lead: lead.line)

    def summary(self) -> str:
        """Return how many leads were imported, there already and rejected."""
        parts = [f"{len(self.added)} imported"]
        if self.duplicates:
            parts.append(f"{len(self.duplicates)} already there")
        if self.complaints:
            parts.append(f"{len({complaint.line for complaint in self.complaints})} rejected")
        return ", ".join(parts)


async def import_leads(api: ApiClient, leads: Sequence[Lead]) -> Imported:
    """Add every lead and return what became of each. Raises ApiUnavailable."""
    imported = Imported()
    queue = iter(leads)

    async def work() -> None:
        for lead in queue:
            match await api.add_client(lead.body()):
                case Added():
                    imported.added.append(lead)
                case Duplicate():
                    imported.duplicates.append(lead)
                case Rejected(reasons):
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
    """Import a CSV into the system at `url`; return 1 when a line is invalid, else 0.

    Complaints go to stderr, a line each. Raises OperatorError when the file is unreadable, and
    ApiUnavailable.
    """
    parsed = read_leads(file)
    async with ApiClient(url, key) as api:
        # If nothing runs there, fail at once rather than after a minute of retries.
        await api.readiness()
        imported = await import_leads(api, parsed.leads)
    imported.complaints = sorted(
        [*parsed.complaints, *imported.complaints], key=lambda complaint: complaint.line
    )
    for complaint in imported.complaints:
        print(f"{file.name}, {complaint}", file=sys.stderr)  # noqa: T201
    say(f"{file.name} to {url}: {imported.summary()}")
    return 1 if imported.complaints else 0
