"""Golden samples: what was once written on Kafka has to be readable forever, and written so."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts import cloudevents
from contracts.catalogue import COMMANDS, EVENTS, TOPICS, TYPES, topic_of
from contracts.message import AboutClient, Command, Contract, Event, Message
from tests.contracts.golden_files import ADVICE, EARLIER, GOLDEN, envelope_of, golden, written
from tests.contracts.samples import CLIENT, SAMPLES

NAMES = sorted(TYPES)
SAMPLE_OF = {sample.wire_name: sample for sample in SAMPLES}


def test_every_type_has_a_sample_and_a_golden_file() -> None:
    assert sorted(SAMPLE_OF) == NAMES, "add one in tests/contracts/samples.py"
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == NAMES, ADVICE


def test_every_named_type_is_in_exactly_one_topic() -> None:
    topics = Counter(type_ for topic in TOPICS for type_ in topic.types)
    assert set(topics) == set(_named(Message))
    assert set(topics.values()) == {1}
    assert len({type_.wire_name for type_ in topics}) == len(topics)
    for topic in TOPICS:
        assert all(topic_of(type_) == topic.name for type_ in topic.types)


def test_event_topics_hold_events_and_command_topics_commands() -> None:
    assert all(issubclass(t, Event) for topic in EVENTS for t in topic.types)
    assert all(issubclass(t, Command) for topic in COMMANDS for t in topic.types)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_value_reads_as_the_sample(name: str) -> None:
    read = TYPES[name].model_validate_json(json.dumps(golden(name)["value"]))
    assert read == SAMPLE_OF[name]
    assert read.model_fields_set == SAMPLE_OF[name].model_fields_set


@pytest.mark.parametrize("path", sorted(EARLIER.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_written_before_a_field_was_added_can_still_be_read(path: Path) -> None:
    earlier = json.loads(path.read_text())
    type_ = TYPES[earlier["headers"]["ce_type"]]
    read = type_.model_validate_json(json.dumps(earlier["value"]))
    assert read.model_dump(mode="json", exclude_unset=True) == earlier["value"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_headers_read_as_the_sample_s_envelope(name: str) -> None:
    headers = [(key, value.encode()) for key, value in golden(name)["headers"].items()]
    assert cloudevents.read(headers) == envelope_of(SAMPLE_OF[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_written_as_its_golden_file_says(name: str) -> None:
    headers = cloudevents.write(envelope_of(SAMPLE_OF[name]))
    assert len(dict(headers)) == len(headers)
    assert written(SAMPLE_OF[name]) == golden(name), ADVICE


@pytest.mark.parametrize("name", NAMES)
def test_fields_that_a_newer_writer_adds_are_accepted_and_left_out(name: str) -> None:
    value = _with_more(golden(name)["value"])
    read: Any = TYPES[name].model_validate_json(json.dumps(value))
    written = json.loads(read.to_json())
    # What is open by nature keeps all: an agent's own fields about a client.
    assert _without_own_fields(written) == _without_own_fields(golden(name)["value"])


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.wire_name)
def test_what_concerns_a_client_has_the_client_s_id_as_key(sample: Message) -> None:
    if isinstance(sample, AboutClient):
        assert sample.key == CLIENT
    assert "client_id" not in type(sample).model_fields or isinstance(sample, AboutClient)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.wire_name)
def test_a_message_cannot_be_changed(sample: Message) -> None:
    assert isinstance(sample, Contract)
    field = "agent_id"
    with pytest.raises(ValueError, match="frozen"):
        setattr(sample, field, CLIENT)


def _with_more(value: Any) -> Any:
    match value:
        case dict():
            return {key: _with_more(part) for key, part in value.items()} | {"added_later": [1]}
        case list():
            return [_with_more(part) for part in value]
    return value


def _without_own_fields(value: Any) -> Any:
    match value:
        case dict():
            return {k: _without_own_fields(v) for k, v in value.items() if k != "custom_fields"}
        case list():
            return [_without_own_fields(part) for part in value]
    return value


def _named(base: type[Message]) -> Iterator[type[Message]]:
    for sub in base.__subclasses__():
        if sub.wire_name:
            yield sub
        yield from _named(sub)
