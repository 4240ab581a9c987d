"""What became of the lines of an imported file, for the API."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.gateway.errors import FieldError
from services.gateway.leads.rows import Said

# After so many lines of a report the event loop has a turn.
ENCODED_AT_ONCE = 500

Outcome = Literal["imported", "updated", "known", "refused", "pending"]


class ImportedLine(BaseModel):
    """What became of a line (from 1, as the file counts them).

    `known`: there is a client with this email, and `differs` names the fields that the file has
    otherwise; `updated`: they were changed. `suppressed`: the file says that this person wants no
    emails, and gets none. `warnings`: what was not taken as it stands. `pending`: what becomes of
    it will stand at `/api/commands/{command_id}`; the client, if it is accepted, gets `client_id`.
    """

    line: int
    outcome: Outcome
    client_id: UUID | None = None
    command_id: UUID | None = None
    suppressed: bool = False
    differs: list[str] = []
    warnings: list[FieldError] = []
    errors: list[FieldError] = []


class ImportColumn(BaseModel):
    """A column of the file, and what it was taken for."""

    title: str
    taken_for: str


class ImportReport(BaseModel):
    """What became of every line that says something, in the order of the file.

    With `dry_run` nothing was changed: it is what would become of them.
    """

    dry_run: bool
    imported: int
    updated: int
    known: int
    refused: int
    pending: int
    suppressed: int
    columns: list[ImportColumn]
    lines: list[ImportedLine]


async def report_of(
    lines: Iterable[ImportedLine], columns: Sequence[Said], *, dry_run: bool
) -> bytes:
    """Return the report as JSON. As objects, 20,000 lines with all that is wrong take 150 MB."""
    counts, suppressed = Counter[Outcome](), 0
    entries: list[tuple[int, bytes]] = []
    for line in lines:
        counts[line.outcome] += 1
        suppressed += line.suppressed
        entries.append((line.line, line.model_dump_json().encode()))
        if len(entries) % ENCODED_AT_ONCE == 0:
            await asyncio.sleep(0)
    entries.sort(key=itemgetter(0))
    report = ImportReport(
        dry_run=dry_run,
        imported=counts["imported"],
        updated=counts["updated"],
        known=counts["known"],
        refused=counts["refused"],
        pending=counts["pending"],
        suppressed=suppressed,
        columns=[ImportColumn(title=title, taken_for=meaning) for title, meaning in columns],
        lines=[],
    )
    before, _, after = report.model_dump_json().encode().rpartition(b"[]")
    parts = [entry for _, entry in entries] or [b""]
    parts[0] = before + b"[" + parts[0]
    parts[-1] += b"]" + after
    return b",".join(parts)
