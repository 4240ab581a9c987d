"""What the fields of messages take, and where personal data may stand."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.catalogue import FOREVER, PARTITIONS, TOPICS, TYPES, read_by
from contracts.crm import (
    ClientDetails,
    ClientDetailsPatch,
    ClientUpdated,
    NewClientDetails,
    UpdateClient,
)
from contracts.mailer import suppression_id
from contracts.message import AboutClient, Command, Event
from contracts.scheduler import FollowupCancelled
from contracts.services import SERVICES
from tests.contracts.samples import AGENT, CLIENT, DETAILS, NOON, SAMPLES

# The only free texts outside `personal`; their writers keep them free of personal data.
FREE_TEXTS = {
    *("about", "detail", "error", "field", "flags[]", "provider_message_id", "reason", "source"),
    *("agent_time_zone", "time_zone", "written_by"),
    # An agent's own words, for all clients.
    *("step", "goal"),
}
NAMES_OF_SEQUENCES = (".sequence.name", ".steps[].name")
CLOSED_FORMATS = {"uuid", "date-time"}


def free_texts(schema: dict[str, Any], definitions: dict[str, Any], at: str = "") -> Iterator[str]:
    """Return the paths of all that may hold any text or any object, except in `personal`."""
    if reference := schema.get("$ref"):
        yield from free_texts(definitions[reference.rpartition("/")[2]], definitions, at)
    for part in schema.get("anyOf", ()):
        yield from free_texts(part, definitions, at)
    for name, part in schema.get("properties", {}).items():
        if name != "personal":
            yield from free_texts(part, definitions, f"{at}.{name}")
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, dict):
            yield from free_texts(part, definitions, f"{at}[]")
    fixed = schema.get("format") in CLOSED_FORMATS or "enum" in schema or "const" in schema
    if schema.get("type") == "string" and not fixed:
        yield at
    if schema.get("additionalProperties") is True or not schema.keys() - {"title", "default"}:
        yield at


@pytest.mark.parametrize("name", sorted(TYPES))
def test_personal_data_stands_under_personal_and_nowhere_else(name: str) -> None:
    schema = TYPES[name].model_json_schema()
    found = free_texts(schema, schema.get("$defs", {}))
    others = (path for path in found if not path.endswith(NAMES_OF_SEQUENCES))
    assert {path.rpartition(".")[2] for path in others} <= FREE_TEXTS


def test_the_walk_over_the_schemas_finds_what_it_looks_for() -> None:
    schema = ClientUpdated.model_json_schema()
    definitions = schema["$defs"]
    found = set(free_texts(definitions["ClientDetails"], definitions))
    assert {".name", ".email", ".phone", ".notes", ".custom_fields"} <= found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.wire_name)
def test_nothing_personal_of_a_sample_is_outside_personal(sample: Any) -> None:
    value = json.loads(sample.to_json())
    value.pop("personal", None)
    assert not [s for s in ("María", "Maria", "Dana", "Elm", "555 0") if s in json.dumps(value)]


def test_a_command_carries_only_what_was_set() -> None:
    command = UpdateClient(
        agent_id=AGENT, client_id=CLIENT, personal=ClientDetailsPatch(phone=None)
    )
    assert json.loads(command.to_json()) == {
        "agent_id": str(AGENT),
        "client_id": str(CLIENT),
        "personal": {"phone": None},
    }
    read = UpdateClient.model_validate_json(command.to_json())
    assert read.personal.model_fields_set == {"phone"}


def test_an_event_spells_out_every_field() -> None:
    for sample in SAMPLES:
        if isinstance(sample, Event):
            assert json.loads(sample.to_json()).keys() == type(sample).model_fields.keys()
        if isinstance(sample, Command):
            assert json.loads(sample.to_json()).keys() == sample.model_fields_set


@pytest.mark.parametrize(
    "fields",
    [
        {str(number): number for number in range(50)},
        {"a": {"b": {"c": {"d": {"e": ["deep enough"]}}}}},
        {"number": 2**63 - 1, "least": -(2**63), "yes": True, "none": None, "half": 0.5},
        {"$set": {"a.b": 1}},
    ],
)
def test_custom_fields_within_the_limits_are_taken_as_they_are(fields: dict[str, Any]) -> None:
    details = NewClientDetails(name="Maria", email="m@mail.example.com", custom_fields=fields)
    assert details.custom_fields == fields


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({str(number): number for number in range(51)}, "at most 50"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}, "nested deeper than 5"),
        ({"a": [[[[[[]]]]]]}, "nested deeper than 5"),
        ({"number": 2**63}, "more than 64 bits"),
        ({"list": [-(2**63) - 1]}, "more than 64 bits"),
        ({"": 1}, "without a name"),
        ({"a": {"": 1}}, "without a name"),
        ({"nul\0": 1}, "NUL"),
        ([], "valid dictionary"),
    ],
)
def test_custom_fields_beyond_the_limits_are_refused(fields: Any, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as caught:
        NewClientDetails(name="Maria", email="m@mail.example.com", custom_fields=fields)
    assert caught.value.errors()[0]["loc"][0] == "custom_fields"


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", "x" * 100, "x" * 101),
        ("name", " x ", "  "),
        ("email", "a@b.example.com", "a@b"),
        ("phone", "1" * 40, "1" * 41),
        ("property_address", "x" * 200, "x" * 201),
        ("notes", "x" * 1000, "x" * 1001),
        ("greeting", " Dr. Núñez ", " "),
        ("greeting", "x" * 100, "x" * 101),
        ("language", "zh-Hant-TW", "zh_TW"),
        ("language", "es", "Spanish"),
        ("language", f"en{'-variant' * 4}", f"en{'-variant' * 5}"),
        ("time_zone", "America/Argentina/Buenos_Aires", "America/New York"),
        ("time_zone", "Etc/GMT+5", "../../etc/passwd"),
    ],
)
def test_the_limits_of_a_client_s_fields(field: str, good: str, bad: str) -> None:
    details = {"name": "Maria", "email": "m@mail.example.com"}
    taken = NewClientDetails.model_validate(details | {field: good})
    assert getattr(taken, field) == good.strip()
    with pytest.raises(ValidationError) as caught:
        NewClientDetails.model_validate(details | {field: bad})
    assert [e["loc"] for e in caught.value.errors()] == [(field,)]


def test_a_long_phone_stands_whole_beside_what_readers_of_0_1_0_take() -> None:
    plain = {"name": "Maria", "email": "m@mail.example.com", "source": "Zillow"}
    for phone in (None, "1" * 20, "+1 (555) 010-2306 ext. 4411"):
        details = ClientDetails.of(plain | {"phone": phone})
        assert len(details.phone or "") <= 20
        assert (details.full_phone is not None) == (len(phone or "") > 20)
        assert details.fields()["phone"] == phone
        assert ClientDetails.of(details.fields()) == details


def test_what_a_contract_has_gained_is_written_only_where_it_is_known() -> None:
    details = NewClientDetails(name="Maria", email="m@mail.example.com")
    known = NewClientDetails(name="Maria", email="m@mail.example.com", language="es")
    assert not {"greeting", "language", "time_zone"} & details.model_dump().keys()
    assert json.loads(known.model_dump_json())["language"] == "es"
    patch = ClientDetailsPatch(language=None)
    assert json.loads(patch.model_dump_json(exclude_unset=True)) == {"language": None}


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_outside_the_calendar_fails_validation(time: str) -> None:
    value = {"agent_id": str(AGENT), "client_id": str(CLIENT), "deleted_at": time}
    with pytest.raises(ValidationError):
        TYPES["realtoros.ClientDeleted.v1"].model_validate_json(json.dumps(value))


def test_a_message_about_the_same_client_copies_what_both_have() -> None:
    due = next(s for s in SAMPLES if s.wire_name == "realtoros.FollowupDue.v1")
    assert isinstance(due, AboutClient)
    cancelled = FollowupCancelled.of(due, reason="by_agent", cancelled_at=NOON)
    assert cancelled.followup_id == due.model_dump()["followup_id"]
    assert (cancelled.agent_id, cancelled.client_id) == (AGENT, CLIENT)


def test_a_suppression_is_the_same_whatever_the_case_of_the_address() -> None:
    email = DETAILS.email
    assert suppression_id(AGENT, email) == suppression_id(AGENT, f" {email.upper()} ")
    assert suppression_id(AGENT, email) != suppression_id(CLIENT, email)


def test_the_topics_are_those_of_the_architecture() -> None:
    kept = {topic.name: topic.retention for topic in TOPICS}
    for name in ("agents", "clients", "followups", "drafts", "emails"):
        assert kept[name] == FOREVER
        assert kept[f"{name}.commands"] == timedelta(days=7)
    assert kept["replies"] == timedelta(hours=1)
    assert PARTITIONS == 12
    assert kept["alerts"] == FOREVER
    events = ("agents", "clients", "followups", "drafts", "emails")
    assert read_by("mailer") == (*events, "emails.commands", "mailer.retries")
    assert {topic.name for topic in TOPICS if topic.compacted} == {
        f"{o}.quarantine" for o in SERVICES
    }
    assert "replies" not in read_by("gateway")
