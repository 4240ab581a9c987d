"""A file's lines as plain values: what a client is made of, or why a line is refused. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from pydantic import ValidationError

from contracts.crm import PersonalDetails
from services.gateway.leads.charsets import Unreadable, decode
from services.gateway.leads.parsing import Lead, parse

MAX_LINES = 20_000
# A client's notes may have line breaks, but a file should not be made of them.
MAX_LINE_BREAKS = 10 * MAX_LINES
# In characters, of all clients together: each repeats the titles of its custom fields.
MAX_CLIENT_TEXT = 32 * 1_048_576
# What a complaint about a whole line is about.
LINE = "line"

# A field of the line that something is said about, and what.
Said = tuple[str, str]


class ClientRow(NamedTuple):
    """A line that is a client: `fields` are those of `CreateClient` that it fills, as JSON.

    `sequence`: the name of the one to begin, if the line has one. `suppressed`: the file says that
    this person wants no emails.
    """

    line: int
    email: str
    fields: str
    sequence: str
    suppressed: bool
    warnings: list[Said]


# The line, a field that is wrong, and the reason; the other fields of the line follow.
RefusedRow = tuple[int, str, str]


@dataclass
class Rows:
    """The rows of a file: of the lines that are a client each, and of the refused ones."""

    clients: list[ClientRow] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    # The title of each column, and what it was taken for.
    columns: list[Said] = field(default_factory=list)


def rows_of(
    content: bytes,
    charset: str | None = None,
    mapping: Mapping[str, str] | None = None,
    *,
    today: date = date.max,
) -> Rows:
    """Sort the lines that say something into rows. Raises Unreadable."""
    text = decode(content, charset)
    if text.count("\n") + text.count("\r") > MAX_LINE_BREAKS:
        raise Unreadable(f"has more than {MAX_LINE_BREAKS} line breaks")
    parsed = parse(text, most=MAX_LINES, mapping=mapping, today=today)
    rows = Rows(columns=list(parsed.columns))
    rows.refused += ((c.line, c.field or LINE, c.reason) for c in parsed.complaints)
    left = MAX_CLIENT_TEXT
    for lead in parsed.leads:
        try:
            rows.clients.append(row := _client(lead))
        except ValidationError as error:
            rows.refused += (
                (lead.line, str(wrong["loc"][0]), wrong["msg"]) for wrong in error.errors()
            )
            continue
        except UnicodeEncodeError:
            # JSON can escape each half of a character alone.
            rows.refused.append((lead.line, "custom_fields", "has text that is not valid Unicode"))
            continue
        left -= len(row.fields)
        if left < 0:
            raise Unreadable(
                f"line {lead.line}: the clients up to here, with the titles of their custom fields,"
                f" are longer than {MAX_CLIENT_TEXT} characters; import the file in parts"
            )
    return rows


def _client(lead: Lead) -> ClientRow:
    """Raises ValidationError, as the API does for the same client, and UnicodeEncodeError."""
    body, fields = lead.body(), dict[str, Any]()
    for name in ("stage", "property_type"):
        if name in body:
            fields[name] = body.pop(name)
    # Parsing has validated and normalised the email, which takes most of the time.
    details = PersonalDetails.model_validate(body)
    fields["personal"] = details.model_dump(exclude_defaults=True)
    client = json.dumps(fields, ensure_ascii=False)
    client.encode()
    warnings = [(warning.field or LINE, warning.reason) for warning in lead.warnings]
    return ClientRow(lead.line, details.email, client, lead.sequence, lead.suppressed, warnings)
