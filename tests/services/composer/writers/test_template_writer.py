"""Letters without a key: fit for every client, different from each other, and never untrue."""

import dataclasses
import re
import tomllib
from collections import Counter
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.composer import Finding
from contracts.crm import AgentProfile, PropertyType, Stage
from contracts.scheduler import FollowupType
from services.composer.guard.repetition import repeated
from services.composer.writer import Composition, CompositionRequest, EarlierLetter
from services.composer.writers import template_writer
from services.composer.writers.template_writer import TemplateWriter
from tests.services.composer.writers.requests import DANA, NOON, request, sample_requests

WRITER = TemplateWriter()
STEPS: tuple[FollowupType, ...] = get_args(FollowupType)
FIVE: tuple[FollowupType, ...] = ("Day 1", "Day 3", "Week 1", "Week 2", "Month 1")
FOLDER = Path(template_writer.__file__).parent / "templates"


async def letter_to(asked: CompositionRequest) -> Composition:
    return (await WRITER.write(asked)).composition


def masked(letter: Composition, asked: CompositionRequest) -> str:
    """Return the body without salutation, and without what differs between clients anyway."""
    _, _, body = letter.body.partition("\n\n")
    street = (asked.recipient.client.property_address or "§").partition(",")[0]
    return body.replace(street, "§")


def clauses(text: str) -> set[str]:
    """Return what stands between punctuation, from three words on."""
    parts = re.split(r"[.,;:?!\"()\n]+", text.lower())
    return {" ".join(words) for part in parts if len(words := part.split()) > 2}


def wordings(file: Path) -> set[str]:
    """Return all wordings of a step, without what is filled in."""
    tables = tomllib.loads(file.read_text()).values()
    texts = [text for table in tables for options in table.values() for text in options]
    return {re.sub(r"\{%.*?%\}", " ", re.sub(r"\{\{.*?\}\}", "§", text)) for text in texts}


async def test_every_step_reads_well_with_and_without_what_may_be_unknown() -> None:
    kinds = product(STEPS, get_args(Stage), get_args(PropertyType))
    bare = AgentProfile(name="Dana Reed", email="dana@harbor.example")
    for (kind, stage, what), name in product(kinds, ("Maria Lopez", "Bob")):
        for agent, address in ((DANA, "12 Elm Street, Austin, TX"), (bare, None), (bare, "")):
            letter = await letter_to(
                request(kind, stage, what, agent, name=name, property_address=address)
            )
            assert letter.body.startswith(f"Hi {name.split()[0]},\n\n")
            assert "None" not in letter.subject + letter.body
            assert "  " not in letter.subject + letter.body
            assert not set("{}<>[]%") & set(letter.subject + letter.body)
            assert ("12 Elm Street" in letter.body) == bool(address)
            assert letter.subject[0] == letter.subject[0].upper()
            assert len(letter.subject) < 90
            assert 30 < len(letter.body.split()) < 160


@pytest.mark.parametrize("step", STEPS)
async def test_twenty_five_clients_get_twenty_or_more_texts_of_a_step(step: FollowupType) -> None:
    texts = {masked(await letter_to(asked), asked) for asked in sample_requests(step)}
    assert len(texts) >= 20


async def test_the_five_letters_of_a_client_share_no_clause() -> None:
    for five in zip(*map(sample_requests, FIVE), strict=True):
        found = Counter(
            clause
            for text in [masked(await letter_to(asked), asked) for asked in five]
            for clause in clauses(text)
        )
        assert [clause for clause, times in found.items() if times > 1] == []


def test_no_wording_of_one_step_shares_a_clause_with_one_of_another() -> None:
    found = Counter(
        clause for file in FOLDER.iterdir() for clause in clauses("\n".join(wordings(file)))
    )
    assert [clause for clause, times in found.items() if times > 1] == []


# What is not true of every client: of a cold list, an old lead, one under contract.
UNTRUE = (
    r"reach(ed|ing) out|thank(s| you)|getting in touch|got in touch|good to meet|nice to meet"
    r"|met you|welcome aboard|your (inquiry|enquiry|message|request|interest)|you (told|asked|wrote"
    r"|mentioned|said)|as discussed|we (spoke|talked|met)|our (call|talk|conversation|meeting)"
    r"|since (i|we|you) |last (wrote|time|week|month|email)|(a|one|two) (days?|weeks?|months?)"
    r"|left off|first email|again"
)


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.stem)
def test_no_wording_claims_what_is_not_known_of_every_client(file: Path) -> None:
    for text in wordings(file):
        assert not re.search(rf"\b({UNTRUE})\b", text.lower()), text


async def test_the_same_request_always_gets_the_same_letter() -> None:
    assert await letter_to(request()) == await letter_to(request())


async def test_templates_never_quote_the_agents_notes() -> None:
    letter = await letter_to(request(notes="haggles, going through a divorce"))
    assert "haggles" not in letter.body
    assert letter == await letter_to(request())


@pytest.mark.parametrize(
    ("client", "agent", "letter"),
    [(None, None, "en"), ("es-US", None, "en"), (None, "de", "en"), ("en-gb", "fr", "en-GB")],
)
async def test_templates_are_english_and_say_so(
    client: str | None, agent: str | None, letter: str
) -> None:
    dana = DANA.model_copy(update={"language": agent})
    assert (await WRITER.write(request(agent=dana, language=client))).language == letter


async def test_the_agent_s_own_greeting_is_the_first_line() -> None:
    letter = await letter_to(request("Day 3", name="Harbor Estate", greeting="Dr. Núñez"))
    assert letter.body.startswith("Hi Dr. Núñez,\n\n")


async def test_a_unit_before_the_street_is_named_with_it() -> None:
    letter = await letter_to(request(property_address="Lot 9, Cedar Hollow, Wimberley, TX"))
    assert "the home at Lot 9, Cedar Hollow" in letter.body
    assert "Wimberley" not in letter.body


@pytest.mark.parametrize("name", ["Hillside Roofing LLC", "bob@mail.example", "The Smiths"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_subject_addresses_only_people(step: FollowupType, name: str) -> None:
    for number in range(20):
        letter = await letter_to(request(step, name=name, email=f"{number}@mail.example"))
        assert not re.search("there|Hillside|bob|Smiths", letter.subject)


async def test_template_code_in_a_value_is_only_text() -> None:
    address = "{{ 7 * 7 }}{% raw %} <b>1 Main\r\nBcc: x"
    letter = await letter_to(request(property_address=address))
    assert "{{ 7 * 7 }}{% raw %} <b>1 Main Bcc: x" in letter.body


PEOPLE = st.text(min_size=1, max_size=100).filter(str.strip)
ADDRESSES = st.none() | st.text(max_size=200)
KINDS: st.SearchStrategy[FollowupType] = st.sampled_from(STEPS)


@given(name=PEOPLE, address=ADDRESSES, kind=KINDS)
async def test_no_client_breaks_the_writer(
    name: str, address: str | None, kind: FollowupType
) -> None:
    letter = await letter_to(request(kind, name=name, property_address=address))
    assert len(letter.subject.splitlines()) == 1
    assert letter.body.startswith(("Hi ", "Hello"))


async def test_a_step_that_comes_again_repeats_no_sentence_of_the_last_letters() -> None:
    asked, earlier = request("Custom"), list[EarlierLetter]()
    for _ in range(6):
        letter = await letter_to(dataclasses.replace(asked, earlier=earlier[-3:]))
        assert repeated(letter.body, [one.body for one in earlier[-3:]]) == []
        earlier.append(EarlierLetter(NOON, letter.subject, letter.body))


async def test_a_letter_that_was_refused_is_written_in_other_words() -> None:
    findings = (Finding(flag="price", excerpt="$1"),)
    assert await letter_to(request()) != await letter_to(
        dataclasses.replace(request(), findings=findings)
    )


async def test_what_the_agent_wants_said_stands_in_the_letter_word_for_word() -> None:
    asked = request(step="Custom")
    wish = "The roof was mended last week.\n\nShall we look at it again, {{ name }}?"
    recipient = asked.recipient.model_copy(update={"instructions": wish})
    letter = await letter_to(dataclasses.replace(asked, recipient=recipient))
    assert f"\n\n{wish}\n\n" in letter.body
    assert letter.body.startswith((await letter_to(asked)).body.split("\n\n")[0])
