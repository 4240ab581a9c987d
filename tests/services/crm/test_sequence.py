"""A sequence of an agent's own: defined whole, anew, retired."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from chassis.domain.errors import Refused
from chassis.domain.state import Given
from contracts.crm import PlannedSequence
from contracts.sequences import (
    BUILT_IN,
    DefineSequence,
    RetireSequence,
    SequenceDefined,
    SequenceRetired,
)
from contracts.steps import Step, first_misplaced
from services.crm.sequence import define, evolve, retire

ABOUT: dict[str, Any] = {"agent_id": uuid4(), "sequence_id": uuid4()}
GIVEN = Given(datetime(2026, 1, 31, 12, tzinfo=UTC), uuid4())
SPRING = PlannedSequence(
    name="Buyers in spring",
    stages=("lead",),
    steps=(Step(name="a", days=2), Step(name="b", days=9)),
)
DEFINED = SequenceDefined(**ABOUT, sequence=SPRING, defined_at=GIVEN.now)
KNOWN = evolve(None, DEFINED)


def order(**changes: Any) -> DefineSequence:
    return DefineSequence(**ABOUT, sequence=SPRING.model_copy(update=changes))


def test_it_is_defined_once_and_anew_when_it_differs() -> None:
    assert define(None, order(), GIVEN) == [DEFINED]
    assert define(KNOWN, order(), GIVEN) == []
    [again] = define(KNOWN, order(name="Buyers"), GIVEN)
    assert isinstance(again, SequenceDefined)
    assert evolve(KNOWN, again).name_key == "buyers"


def test_a_retired_one_is_not_found_and_its_name_is_free() -> None:
    [retired] = retire(KNOWN, RetireSequence(**ABOUT), GIVEN)
    assert retired == SequenceRetired(**ABOUT, retired_at=GIVEN.now)
    gone = evolve(KNOWN, retired)
    assert gone.name_key is None
    with pytest.raises(Refused, match="not found"):
        define(gone, order(), GIVEN)
    with pytest.raises(Refused, match="not found"):
        retire(gone, RetireSequence(**ABOUT), GIVEN)


def test_another_agent_s_is_not_found() -> None:
    with pytest.raises(Refused) as refused:
        define(KNOWN, order().model_copy(update={"agent_id": uuid4()}), GIVEN)
    assert refused.value.kind == "not_found"


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ((Step(name="at once"),), "steps.0.days"),
        ((Step(name="a", days=3), Step(name="b", days=3)), "steps.1.days"),
        ((Step(name="a", days=3), Step(name="b", days=9), Step(name="c", days=4)), "steps.2.days"),
        ((Step(name="a", years=1), Step(name="b", days=365)), "steps.1.days"),
    ],
)
def test_steps_out_of_order_or_on_one_day_are_refused_by_number(
    steps: tuple[Step, ...], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        define(None, order(steps=steps), GIVEN)
    assert (refused.value.field, refused.value.kind) == (field, "invalid")


def test_lost_clients_and_built_in_names_are_refused() -> None:
    with pytest.raises(Refused) as refused:
        define(None, order(stages=("closed", "lost")), GIVEN)
    assert (refused.value.field, refused.value.kind) == ("stages", "invalid")
    with pytest.raises(Refused) as refused:
        define(None, order(name="past  CLIENT"), GIVEN)
    assert (refused.value.field, refused.value.kind) == ("name", "conflict")


def test_the_built_in_ones_keep_the_rules() -> None:
    assert [first_misplaced(one.steps) for one in BUILT_IN] == [None] * len(BUILT_IN)
    stages = [stage for one in BUILT_IN for stage in one.stages]
    assert sorted(stages) == ["closed", "lead", "negotiating", "under_contract"]
