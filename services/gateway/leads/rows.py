"""A file's lines as plain values: what a client is made of, or why a line is refused. Pure."""

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from contracts.crm import ClientDetails
from services.gateway.leads.parsing import Lead, parse
from services.gateway.leads.records import Unreadable, decode

MAX_LINES = 20_000
# A client's notes may have line breaks, but a file should not be made of them.
MAX_LINE_BREAKS = 10 * MAX_LINES
# In characters, of all clients together: each repeats the titles of its custom fields.
MAX_CLIENT_TEXT = 32 * 1_048_576
# What a complaint about a whole line is about.
LINE = "line"

# The line (from 1), the email, and the fields of `CreateClient` that the line fills, as JSON.
ClientRow = tuple[int, str, str]
# The line, a field that is wrong, and the reason; the other fields of the line follow.
RefusedRow = tuple[int, str, str]


@dataclass
class Rows:
    """The rows of a file: of the lines that are a client each, and of the refused ones."""

    clients: list[ClientRow] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)


def rows_of(content: bytes, charset: str | None) -> Rows:
    """Sort the lines that say something into rows. Raises Unreadable."""
    text = decode(content, charset)
    if text.count("\n") + text.count("\r") > MAX_LINE_BREAKS:
        raise Unreadable(f"has more than {MAX_LINE_BREAKS} line breaks")
    parsed = parse(text, most=MAX_LINES)
    rows = Rows(refused=[(c.line, c.field or LINE, c.reason) for c in parsed.complaints])
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
        left -= len(row[-1])
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
    details = ClientDetails.model_validate(body)
    fields["personal"] = details.model_dump(exclude_defaults=True)
    client = json.dumps(fields, ensure_ascii=False)
    client.encode()
    return lead.line, details.email, client
