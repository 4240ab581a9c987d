"""The writer that needs no key and no network: letters from the templates of this folder.

A template is a letter whose first paragraph is the subject. Lines may be wrapped anywhere; a
blank line starts a paragraph.
"""

from pathlib import Path
from zlib import crc32

import jinja2

from chassis.domain.plain_text import single_line, split_paragraphs
from contracts.crm import PropertyType, Stage
from contracts.scheduler import FollowupType
from services.composer.writer import MAX_SUBJECT, Brief, Composition

_VARIANTS = ("a", "b")
_TEMPLATES: dict[FollowupType, str] = {
    "Day 1": "day_1",
    "Day 3": "day_3",
    "Week 1": "week_1",
    "Week 2": "week_2",
    "Month 1": "month_1",
    "Custom": "custom",
}
# What it is called before "at 12 Elm Street", and without an address.
_PROPERTY: dict[PropertyType, tuple[str, str]] = {
    "residential": ("the home", "your plans for a home"),
    "commercial": ("the commercial property", "your plans for a commercial property"),
    "land": ("the land", "your plans for a piece of land"),
    "other": ("the property", "your property plans"),
}
# What an agent can usefully do at this stage, as the rest of "I can ...".
_HELP: dict[Stage, str] = {
    "lead": "walk you through the options, with no obligation at all",
    "negotiating": "go over the terms with you before you decide anything",
    "under_contract": "keep an eye on the dates and the paperwork between now and closing",
    "closed": "help with whatever comes up now that the closing is behind you",
    "lost": "be a second pair of eyes, should your plans change",
}
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "rev"})


class TemplateWriter:
    """Writes by template. The same client always gets the same one of the variants.

    Notes are never quoted: they are the agent's own words about the client, and no template can
    tell which of them the client may read.
    """

    name = "templates"

    def __init__(self) -> None:
        # Plain text: the mailer escapes what it puts into HTML.
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=False,  # noqa: S701 # nosec B701
            undefined=jinja2.StrictUndefined,
        )

    async def write(self, brief: Brief) -> Composition:
        """Fill in a template; this cannot fail for any client that the contracts let pass."""
        name = brief.recipient.client.name
        variant = _VARIANTS[crc32(name.encode(errors="replace")) % len(_VARIANTS)]
        template = self._templates.get_template(f"{_TEMPLATES[brief.followup_type]}_{variant}.j2")
        subject, *texts = map(single_line, split_paragraphs(template.render(_facts(brief))))
        return Composition(subject=subject[:MAX_SUBJECT], body="\n\n".join(filter(None, texts)))

    async def close(self) -> None:
        """Nothing is held."""


def first_name(name: str) -> str:
    """Give the name to greet with; "there" when the name does not look like a person's."""
    if "," in name:
        name = name.partition(",")[2] or name
    words = [word for word in name.split() if word.strip(".").lower() not in _TITLES]
    if "&" in words or "and" in words:
        return " ".join(words)
    first = words[0].strip('.,;:!?"()<>') if words else ""
    return first if any(map(str.isalpha, first)) and "@" not in first else "there"


def _facts(brief: Brief) -> dict[str, str | bool]:
    """Give what the templates may use; what is not known is an empty string."""
    client, agent = brief.recipient.client, brief.recipient.agent
    address = single_line(client.property_address or "")
    named, unnamed = _PROPERTY[brief.property_type]
    return {
        "client": first_name(single_line(client.name)),
        "agent": single_line(agent.name),
        "company": single_line(agent.company or ""),
        "property": f"{named} at {address}" if address else unnamed,
        "short_property": address.partition(",")[0] or unnamed,
        "property_type": brief.property_type,
        "has_address": bool(address),
        "stage": brief.stage,
        "help": _HELP[brief.stage],
        "has_notes": bool((client.notes or "").strip()),
    }
