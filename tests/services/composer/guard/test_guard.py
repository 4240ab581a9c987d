"""The guard on bad and good texts, and on all that the templates can write.

`bad_texts.txt` names the flag before each text; all files write a line break as backslash-n. The
texts of `second_…` and `third_…` were written by others later, and the guard was mended after it.
"""

import time
from pathlib import Path
from typing import get_args

import pytest

from contracts.crm import AgentProfile, ClientDetails
from contracts.scheduler import FollowupType, Recipient
from services.composer.guard.guard import look
from services.composer.writer import Composition
from services.composer.writers.template_writer import TemplateWriter
from tests.providers import openai
from tests.services.composer.writers.requests import sample_requests
from tests.services.composer.writers.test_template_writer import FOLDER as TEMPLATES
from tests.services.composer.writers.test_template_writer import wordings

FOLDER = Path(__file__).parent
MARIA = ClientDetails(
    name="Maria Lopez", email="maria@mail.example", property_address="12 Elm Street, Austin, TX"
)
DANA = AgentProfile(
    name="Dana Reed",
    email="dana@harbor.example",
    company="Harbor Realty",
    phone="(512) 555-0100",
)
EARLIER = (
    "Hi Maria,\n\nI wanted to ask whether the garden is still what you like most about the house.",
    "Hi Maria,\n\nWe could look at the papers together on Thursday, if you like.\n\nBest,\nDana",
    "Hi Maria,\n\nI can send you a short list of what is left to do before closing.",
)


def texts(name: str) -> list[str]:
    lines = (FOLDER / name).read_text().splitlines()
    return [line.replace("\\n", "\n") for line in lines]


def bad_texts(name: str) -> list[list[str]]:
    return [text.split(": ", 1) for text in texts(name)]


BAD = bad_texts("bad_texts.txt")
GOOD = texts("good_texts.txt")


def flags(
    body: str,
    subject: str = "A note for you",
    client: ClientDetails = MARIA,
    agent: AgentProfile = DANA,
) -> set[str]:
    recipient = Recipient(client=client, agent=agent)
    findings = look(Composition(subject=subject, body=body), recipient, EARLIER)
    return {finding.flag for finding in findings}


def test_the_texts_are_as_many_as_promised_and_none_comes_twice() -> None:
    assert len(BAD) == len({text for _, text in BAD}) == 200
    assert len(GOOD) == len(set(GOOD)) == 200


def test_at_least_95_of_100_bad_texts_are_caught_for_the_right_reason() -> None:
    missed = [(flag, text) for flag, text in BAD if flag not in flags(text)]
    assert len(missed) <= 10, missed


def test_at_most_2_of_100_good_texts_are_flagged() -> None:
    wrong = [(found, text) for text in GOOD if (found := flags(text))]
    assert len(wrong) <= 4, wrong


@pytest.mark.parametrize("written", ["second", "third"])
def test_texts_that_were_written_later_are_told_apart_too(written: str) -> None:
    bad, good = bad_texts(f"{written}_bad_texts.txt"), texts(f"{written}_good_texts.txt")
    assert [(flag, text) for flag, text in bad if flag not in flags(text)] == []
    assert [(found, text) for text in good if (found := flags(text))] == []


@pytest.mark.parametrize("step", get_args(FollowupType))
async def test_no_letter_from_templates_is_flagged(step: FollowupType) -> None:
    writer = TemplateWriter()
    for asked in sample_requests(step):
        letter = (await writer.write(asked)).composition
        assert look(letter, asked.recipient, ()) == [], letter


def test_no_letter_of_the_fake_provider_is_flagged() -> None:
    body = openai.letter("Maria", 12)["body"]
    assert flags(body) == set(), body


@pytest.mark.parametrize("file", sorted(TEMPLATES.iterdir()), ids=lambda file: file.stem)
def test_no_wording_of_a_template_is_flagged(file: Path) -> None:
    for wording in wordings(file):
        text = wording.replace("§", "the home at 12 Elm Street")
        assert flags(f"Hi Maria,\n\nThis is the beginning of it.\n\n{text}") == set(), text


@pytest.mark.parametrize(
    "subject", ["Hi [Name]", "Re: your question", "Your home for $480,000", "A safe neighborhood"]
)
def test_a_subject_is_looked_at_too(subject: str) -> None:
    assert flags("Hi Maria,\n\nHow is the search going? Tell me more about it.", subject)


def test_names_and_addresses_that_are_known_are_not_what_they_also_mean() -> None:
    client = ClientDetails(
        name="Christian White",
        email="c@mail.example",
        property_address="1450 Church Street, Temple, TX",
    )
    agent = DANA.model_copy(update={"name": "Faith Black", "company": "Christian Homes"})
    body = "Hi Christian,\n\nI am Faith Black of Christian Homes, and ask about 1450 Church Street."
    assert flags(body, client=client, agent=agent) == set()
    body = "Hi Christian,\n\nIt is a house for a young Christian family, close to the church."
    assert flags(body, client=client, agent=agent) == {"fair_housing"}


@pytest.mark.parametrize(
    "website", ["https://harbor.example/dana", "http://www.harbor.example/dana/"]
)
def test_the_agent_s_website_is_the_one_link_that_is_allowed(website: str) -> None:
    agent = DANA.model_copy(update={"website": website})
    for own in (
        "https://harbor.example/dana",
        "harbor.example/dana/",
        "www.Harbor.example/dana: all of it",
        "(https://www.harbor.example/dana).",
    ):
        body = f"Hi Maria,\n\nyou can read how I work on my page, {own}"
        assert flags(body, agent=agent) == set(), own
        assert "link" in flags(body)
    for other in (
        "https://harbor.example",
        "https://harbor.example/dana/homes",
        "https://harbor.example/dana?ref=maria",
        "https://harbor.example/danae",
        "https://harbor.example/dana.evil.example",
        "https://evil.example/harbor.example/dana",
        "https://x.harbor.example/dana",
        "https://me:it@harbor.example/dana",  # pragma: allowlist secret
        "ftp://harbor.example/dana",
        "harbor.example/dana and evil.example",
    ):
        body = f"Hi Maria,\n\nyou can read how I work on my page, {other}"
        assert flags(body, agent=agent) & {"link", "email_address"}, other


@pytest.mark.parametrize("website", ["", ".", "see everything", "https://", "com"])
def test_a_website_that_is_none_allows_no_link(website: str) -> None:
    agent = DANA.model_copy(update={"website": website})
    body = "Hi Maria,\n\nyou can see everything on https://evil.example or on evil.com."
    assert flags(body, agent=agent) == {"link"}


def test_a_greeting_is_a_name_whatever_it_also_means() -> None:
    client = MARIA.model_copy(update={"greeting": "Pastor Christian"})
    body = "Good morning from Harbor Realty.\n\nTell me, Pastor Christian, how the plans are going."
    assert flags(body, client=client) == set()


def test_what_a_client_s_field_brings_in_is_flagged_all_the_same() -> None:
    client = MARIA.model_copy(update={"property_address": "1 Main St, see https://evil.example"})
    body = "Hi Maria,\n\nI am writing about the home at 1 Main St, see https://evil.example today."
    assert "link" in flags(body, client=client)


def test_invisible_and_look_alike_characters_hide_nothing() -> None:
    assert "placeholder" in flags("Hi [Cli\u200bent Name],\n\nhow is the search going these days?")
    assert "link" in flags(
        "Hi Maria,\n\nsee \uff48\uff54\uff54\uff50\uff53://evil.example for all of the details."
    )


def test_an_excerpt_is_short_and_names_what_was_found() -> None:
    letter = Composition(
        subject="Hello", body="Hi Maria,\n\nLook at https://evil.example/" + "a1" * 500
    )
    [finding] = look(letter, Recipient(client=MARIA, agent=DANA), ())
    assert finding.excerpt.startswith("https://evil.example/")
    assert len(finding.excerpt) <= 80


HOSTILE = [
    "{{",
    "[a",
    "<",
    "*",
    "a.",
    "1-",
    "1,",
    "no ",
    "area is ",
    "for the young ",
    "a@",
    "\n- a",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_of_the_longest_kind_takes_long(part: str) -> None:
    body = ("Hi Maria,\n\n" + part * 5000)[:5000]
    began = time.process_time()
    flags(body.strip() or "x")
    assert time.process_time() - began < 5
