"""The schemas grow only: what was released stays readable, by readers of then and of now."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from contracts.catalogue import TYPES
from contracts.describing.compatibility import incompatibilities
from contracts.describing.files import SCHEMAS, schema_of
from contracts.message import Command, Contract, Event, Message, Reply, Time

RELEASED = sorted(SCHEMAS.glob("released/*/*.json"))
Schema = dict[str, Any]
Change = Callable[[Schema], object]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_released_type_has_only_gained_optional_fields(path: Path) -> None:
    released = json.loads(path.read_text())
    type_ = TYPES.get(path.stem)
    current = schema_of(type_) if type_ else None
    command = bool(type_ and issubclass(type_, Command))
    assert not incompatibilities(released, current, command=command)


def test_every_kind_of_message_was_released() -> None:
    released = [TYPES[path.stem] for path in RELEASED if path.stem in TYPES]
    for kind in (Event, Command, Reply):
        assert any(issubclass(type_, kind) for type_ in released)


class Part(Contract):
    text: str
    note: str | None = None


class OwnEvent(Message):
    name: str = Field(default="", max_length=20)
    kind: Literal["a", "b"]
    at: Time
    count: int = 0
    part: Part
    parts: tuple[Part, ...] = ()
    perhaps: Part | None = None
    scores: dict[str, int] = {}


RELEASE = schema_of(OwnEvent)


def changed(change: Change) -> Schema:
    schema = copy.deepcopy(RELEASE)
    change(schema)
    return schema


def properties(schema: Schema) -> Schema:
    found: Schema = schema["properties"]
    return found


def part(schema: Schema) -> Schema:
    found: Schema = schema["$defs"]["Part"]
    return found


def add_enum_value(schema: Schema) -> None:
    properties(schema)["kind"]["enum"].append("c")


ALLOWED: dict[str, Change] = {
    "nothing": copy.copy,
    "optional field": lambda s: properties(s).update(more={"type": "string", "default": ""}),
    "optional field of a part": lambda s: part(s)["properties"].update(more={"type": "integer"}),
    "other words": lambda s: s.update(title="Other", description="Says the same."),
    "another order": lambda s: s["required"].reverse(),
}
REFUSED: dict[str, tuple[Change, str]] = {
    "removed": (lambda s: properties(s).pop("count"), "value.count: was removed"),
    "renamed": (
        lambda s: properties(s).update(number=properties(s).pop("count")),
        "value.count: was removed",
    ),
    "new required": (
        lambda s: (properties(s).update(more={"type": "string"}), s["required"].append("more")),
        "value.more: has become required",
    ),
    "optional became required": (
        lambda s: s["required"].append("count"),
        "value.count: has become required",
    ),
    "required became optional": (
        lambda s: s["required"].remove("at"),
        "value.at: is no longer required",
    ),
    "narrowed": (
        lambda s: properties(s)["count"].update(maximum=9),
        "value.count: maximum None became 9",
    ),
    "shorter texts": (
        lambda s: properties(s)["name"].update(maxLength=9),
        "value.name: maxLength 20 became 9",
    ),
    "another type": (
        lambda s: properties(s)["count"].update(type="string"),
        "value.count: type 'integer' became 'string'",
    ),
    "another format": (
        lambda s: properties(s)["at"].update(format="date"),
        "value.at: format 'date-time' became 'date'",
    ),
    "another default": (
        lambda s: properties(s)["count"].update(default=1),
        "value.count: default 0 became 1",
    ),
    "null no more": (
        lambda s: properties(s)["perhaps"]["anyOf"].pop(),
        "value.perhaps: has 1 alternatives instead of 2",
    ),
    "null now, too": (
        lambda s: properties(s).update(at={"anyOf": [properties(s)["at"], {"type": "null"}]}),
        "value.at: has 2 alternatives instead of 0",
    ),
    "an enum's value removed": (
        lambda s: properties(s)["kind"]["enum"].remove("a"),
        "value.kind: the values ['a', 'b'] became ['b']",
    ),
    "an enum closed": (
        lambda s: part(s)["properties"]["text"].update(enum=["x"]),
        "value.part.text: the values None became ['x']",
    ),
    "values of a dictionary": (
        lambda s: properties(s)["scores"].update(additionalProperties={"type": "string"}),
        "value.scores[]: type 'integer' became 'string'",
    ),
    "fields of others forbidden": (
        lambda s: s.update(additionalProperties=False),
        "value: additionalProperties None became False",
    ),
}


def test_a_text_may_become_longer_in_a_command_alone() -> None:
    longer = changed(lambda s: properties(s)["name"].update(maxLength=40))
    assert not incompatibilities(RELEASE, longer, command=True)
    assert incompatibilities(RELEASE, longer, command=False) == [
        "value.name: maxLength 20 became 40"
    ]


@pytest.mark.parametrize("command", [True, False], ids=["command", "event"])
@pytest.mark.parametrize("change", ALLOWED.values(), ids=ALLOWED)
def test_what_may_change(change: Change, command: bool) -> None:
    assert not incompatibilities(RELEASE, changed(change), command=command)


@pytest.mark.parametrize("command", [True, False], ids=["command", "event"])
@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED)
def test_what_may_not_change(change: Change, said: str, command: bool) -> None:
    assert said in incompatibilities(RELEASE, changed(change), command=command)


@pytest.mark.parametrize("path", ["part", "parts[]", "perhaps"])
def test_a_part_is_compared_at_any_path(path: str) -> None:
    said = incompatibilities(
        RELEASE, changed(lambda s: part(s)["properties"].pop("note")), command=False
    )
    assert f"value.{path}.note: was removed" in said


def test_a_value_may_be_added_to_a_command_s_enum_alone() -> None:
    assert not incompatibilities(RELEASE, changed(add_enum_value), command=True)
    [said] = incompatibilities(RELEASE, changed(add_enum_value), command=False)
    assert said == "value.kind: a reader of the released schema does not know ['c']"


def test_where_a_part_is_defined_does_not_matter() -> None:
    schema = copy.deepcopy(RELEASE)
    moved = json.dumps(schema).replace("$defs/Part", "$defs/Moved")
    schema = json.loads(moved)
    schema["$defs"] = {"Moved": RELEASE["$defs"]["Part"]}
    assert not incompatibilities(RELEASE, schema, command=False)


def test_a_released_type_stays() -> None:
    for command in (True, False):
        assert incompatibilities(RELEASE, None, command=command) == ["the type was removed"]
