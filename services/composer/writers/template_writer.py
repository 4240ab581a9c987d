"""The writer that needs neither key nor network: letters put together from the templates here.

There is a file for each step, with the parts of a letter; each part has several wordings, by stage
or by type of property where it matters. Client and step choose among them. No wording claims what
is not known of every client: that they wrote first, that they have met the agent, or how much time
has passed. No two steps share a clause.
"""

import tomllib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import jinja2

from chassis.domain.plain_text import paragraphs, single_line
from contracts.crm import PropertyType, Stage
from contracts.scheduler import FollowupType
from services.composer.guard.repetition import repeated
from services.composer.languages import ENGLISH, is_english
from services.composer.writer import MAX_SUBJECT, Composition, CompositionRequest, Written
from services.composer.writers.client_names import addressed_name, salutation

_FILES: dict[FollowupType, str] = {
    "Day 1": "day_1",
    "Day 3": "day_3",
    "Week 1": "week_1",
    "Week 2": "week_2",
    "Month 1": "month_1",
    "Custom": "custom",
}
# How the property is called: before "at 12 Elm Street", and to who may have none in mind yet.
_PROPERTIES: dict[PropertyType, tuple[str, str]] = {
    "residential": ("the home", "buying or selling a home"),
    "commercial": ("the commercial property", "buying, selling or leasing commercial property"),
    "land": ("the land", "buying or selling land"),
    "other": ("the property", "buying or selling property"),
}
_ACTIVE: frozenset[Stage] = frozenset({"negotiating", "under_contract", "closed"})
# What stands before a comma in an address without saying where it is.
_UNIT_WORDS = ("lot ", "unit ", "apt ", "apartment ", "suite ", "#", "no. ")

Wordings = Mapping[str, Sequence[jinja2.Template]]


class TemplateWriter:
    """Writes by template. The same request always gets the same letter.

    Notes are never quoted: they are the agent's own, and no template can tell which of them the
    client may read. What the agent wants a letter to say stands in it, word for word.
    """

    name = "templates"

    def __init__(self) -> None:
        # Plain text: the mailer escapes what it puts into HTML.
        environment = jinja2.Environment(
            autoescape=False,  # noqa: S701 # nosec B701
            undefined=jinja2.StrictUndefined,
        )
        folder = Path(__file__).parent / "templates"
        self._parts: dict[FollowupType, dict[str, Wordings]] = {
            step: {
                part: {key: [*map(environment.from_string, texts)] for key, texts in table.items()}
                for part, table in tomllib.loads((folder / f"{file}.toml").read_text()).items()
            }
            for step, file in _FILES.items()
        }

    async def write(self, request: CompositionRequest) -> Written:
        """Fill in a template. Never fails for a client that the contracts accept."""
        variables = _template_variables(request)
        client = request.recipient.client
        earlier = [letter.body for letter in request.earlier]
        seed = _seed(request)
        chosen: dict[str, str] = {}
        for part, wordings in self._parts[request.followup_type].items():
            options = _options(wordings, request, has_name=bool(variables["name"]))
            seed, index = divmod(seed, len(options))
            texts = [
                single_line(option.render(variables))
                for option in (*options[index:], *options[:index])
            ]
            # A step may come again: then in words that the last letters did not have.
            chosen[part] = next((text for text in texts if not repeated(text, earlier)), texts[0])
        subject, own = chosen["subject"], f"{chosen['middle']} {chosen['offer']}"
        said = paragraphs(request.recipient.instructions or "")
        composition = Composition(
            subject=(subject[:1].upper() + subject[1:])[:MAX_SUBJECT],
            body=f"{salutation(client.name, client.greeting)}\n\n{chosen['opening']}\n\n"
            f"{said or own}\n\n{chosen['closing']}",
        )
        # Templates are in English, whatever language the client would like.
        language = request.language if is_english(request.language) else ENGLISH
        return Written(composition, language)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""


def _seed(request: CompositionRequest) -> int:
    """Return a number that is the same for the same client and step, but for a refused letter."""
    client = request.recipient.client
    flags = " ".join(finding.flag for finding in request.findings)
    key = f"{request.followup_type}\n{client.email.lower()}\n{client.name}\n{flags}"
    return int.from_bytes(sha256(key.encode(errors="replace")).digest())


def _options(
    wordings: Wordings, request: CompositionRequest, *, has_name: bool
) -> Sequence[jinja2.Template]:
    """Return the wordings for the client's stage, else for the property, else for anyone."""
    for key in (request.stage, request.property_type):
        if key in wordings:
            return wordings[key]
    return [*(wordings.get("named", ()) if has_name else ()), *wordings["any"]]


def _template_variables(request: CompositionRequest) -> dict[str, str]:
    """Return the templates' variables; an unknown value is an empty string."""
    client, agent = request.recipient.client, request.recipient.agent
    name = addressed_name(client.name, client.greeting)
    place = _street(single_line(client.property_address or ""))
    thing, search = _PROPERTIES[request.property_type]
    unnamed = thing if request.stage in _ACTIVE else search
    return {
        "name": name,
        "agent": single_line(agent.name),
        "company": single_line(agent.company or ""),
        "property": f"{thing} at {place}" if place else unnamed,
        "place": place or unnamed,
    }


def _street(address: str) -> str:
    """Return the first part of an address that says where it is."""
    first, _, rest = address.partition(",")
    if first.lower().startswith(_UNIT_WORDS) and rest.strip():
        return f"{first},{rest.partition(',')[0]}"
    return first.strip()
