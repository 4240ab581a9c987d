"""What several requests and responses have in common."""

import unicodedata
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from services.gateway.leads.words.locales import known_zone

# They make text that follows run backwards.
_BIDI = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def _one_line(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise ValueError("has to be one line, without control characters")
        if unicodedata.bidirectional(character) in _BIDI:
            raise ValueError("has a character that changes the direction of text")
    return text


# Why something was decided, for people to read.
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_one_line),
]
KnownZone = Annotated[str, AfterValidator(known_zone), Field(examples=["America/New_York"])]


class ReadModel(BaseModel):
    """Base of responses from the read models."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True)

    id: UUID = Field(alias="_id")
    agent_id: UUID
