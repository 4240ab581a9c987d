"""The writer that needs neither key nor network: letters from the templates of this folder.

A template is a letter whose first paragraph is the subject. Lines may be wrapped anywhere; a
blank line starts a paragraph.
"""

from pathlib import Path
from zlib import crc32

import jinja2

from chassis.domain.plain_text import single_line, split_paragraphs
from contracts.crm import PropertyType, Stage
from contracts.scheduler import FollowupType
from services.composer.writer import MAX_SUBJECT, Composition, CompositionRequest

_VARIANTS = ("a", "b")
_TEMPLATES: dict[FollowupType, str] = {
    "Day 1": "day_1",
    "Day 3": "day_3",
    "Week 1": "week_1",
    "Week 2": "week_2",
    "Month 1": "month_1",
    "Custom": "custom",
}
# The phrase before "at 12 Elm Street", and the one without an address.
_PROPERTY_PHRASES: dict[PropertyType, tuple[str, str]] = {
    "residential": ("the home", "your plans for a home"),
    "commercial": ("the commercial property", "your plans for a commercial property"),
    "land": ("the land", "your plans for a piece of land"),
    "other": ("the property", "your property plans"),
}
# What an agent can do for the client at this stage, as the rest of "I can ...".
_HELP_BY_STAGE: dict[Stage, str] = {
    "lead": "walk you through the options, with no obligation at all",
    "negotiating": "go over the terms with you before you decide anything",
    "under_contract": "keep an eye on the dates and the paperwork between now and closing",
    "closed": "help with whatever comes up now that the closing is behind you",
    "lost": "be a second pair of eyes, should your plans change",
}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "rev"})


class TemplateWriter:
    """Writes by template. The same client always gets the same one of the variants.

    Notes are never quoted: they are the agent's own, and no template can tell which of them the
    client may read.
    """

    name = "templates"

    def __init__(self) -> None:
        # Plain text: the mailer escapes what it puts into HTML.
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=False,  # noqa: S701 # nosec B701
            undefined=jinja2.StrictUndefined,
        )

    async def write(self, request: CompositionRequest) -> Composition:
        """Fill in a template. Never fails for a client that the contracts accept."""
        name = request.recipient.client.name
        variant = _VARIANTS[crc32(name.encode(errors="replace")) % len(_VARIANTS)]
        template = self._templates.get_template(f"{_TEMPLATES[request.followup_type]}_{variant}.j2")
        text = template.render(_template_variables(request))
        subject, *body = map(single_line, split_paragraphs(text))
        return Composition(subject=subject[:MAX_SUBJECT], body="\n\n".join(filter(None, body)))

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def first_name(name: str) -> str:
    """Return the name to greet with; "there" when the name does not look like a person's."""
    if "," in name:
        name = name.partition(",")[2] or name
    names = [part for part in name.split() if part.strip(".").lower() not in _TITLES]
    if "&" in names or "and" in names:
        return " ".join(names)
    first = names[0].strip('.,;:!?"()<>') if names else ""
    return first if any(map(str.isalpha, first)) and "@" not in first else "there"


def _template_variables(request: CompositionRequest) -> dict[str, str | bool]:
    """Return the templates' variables; an unknown value is an empty string."""
    client, agent = request.recipient.client, request.recipient.agent
    address = single_line(client.property_address or "")
    named, unnamed = _PROPERTY_PHRASES[request.property_type]
    return {
        "client": first_name(single_line(client.name)),
        "agent": single_line(agent.name),
        "company": single_line(agent.company or ""),
        "property": f"{named} at {address}" if address else unnamed,
        "short_property": address.partition(",")[0] or unnamed,
        "property_type": request.property_type,
        "has_address": bool(address),
        "stage": request.stage,
        "help": _HELP_BY_STAGE[request.stage],
        "has_notes": bool((client.notes or "").strip()),
    }
