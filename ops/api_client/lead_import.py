"""Importing leads into a running system through its REST API: a file, or a few at a time."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contracts.sequences import NEW_LEAD
from ops.api_client.client import Added, ApiClient, Duplicate, ImportOptions, Rejected
from ops.errors import OperatorError
from services.gateway.leads.charsets import Unreadable, decode
from services.gateway.leads.parsing import Complaint, Lead, Parsed, parse


def read_leads(file: Path) -> Parsed:
    """Read the file. Raises OperatorError."""
    try:
        return parse(decode(file.read_bytes()))
    except OSError as error:
        raise OperatorError(f"cannot read {file}: {error.strerror}") from None
    except Unreadable as error:
        raise OperatorError(f"{file}: {error}") from None


# What became of lines, in the order in which it is told.
_WORDS = {
    "imported": "imported",
    "updated": "updated",
    "known": "there already",
    "pending": "pending",
    "refused": "refused",
    "suppressed": "suppressed: they want no emails",
}
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
    """Add every lead and return what became of each. Raises ApiUnavailable.

    All get the sequence of a new lead, whatever their stage, but those that are closed or lost.
    """
    imported = Imported()
    queue = iter(leads)

    async def work() -> None:
        for lead in queue:
            begun = {"sequence": NEW_LEAD.name} if lead.is_followed_up else {}
            match await api.add_client(lead.body() | begun):
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


async def import_file(
    file: Path,
    url: str,
    key: str | None,
    say: Callable[[str], None],
    options: ImportOptions,
) -> int:
    """Import a CSV into the system at `url`; return 1 when a line is refused, else 0.

    What is wrong with lines, and warnings, go to stderr, a line each. Raises OperatorError when the
    file is unreadable, and ApiUnavailable.
    """
    try:
        content = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise OperatorError(f"cannot read {file}: {error.strerror}") from None
    async with ApiClient(url, key) as api:
        # If nothing runs there, fail at once rather than after a minute of retries.
        await api.readiness()
        report = await api.import_clients(file.name, content, options)
    if options.dry_run:
        for column in report["columns"]:
            say(f"{column['title']}: {column['taken_for']}")
    for line in report["lines"]:
        for kind, said in (("", line["errors"]), ("note: ", line["warnings"])):
            for about in said:
                text = (
                    f"{file.name}, line {line['line']}: {kind}{about['field']}: {about['reason']}"
                )
                print(text, file=sys.stderr)  # noqa: T201
        if line["differs"] and line["outcome"] == "known":
            text = f"{file.name}, line {line['line']}: known, differs: {', '.join(line['differs'])}"
            print(text, file=sys.stderr)  # noqa: T201
    would = "would be " if options.dry_run else ""
    counts = [
        f"{report[name]} {would}{words}"
        for name, words in _WORDS.items()
        if report[name] or name == "imported"
    ]
    say(f"{file.name} to {url}: {', '.join(counts)}")
    return 1 if report["refused"] else 0
