"""The rules that keep the parts apart and readable."""

import ast
import importlib
import re
import subprocess
import sys
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from chassis.domain.state import State
from chassis.mongo.client import UuidDocument
from contracts.catalogue import COMMANDS, Topic
from contracts.services import SERVICES
from tests.architecture import rooms
from tests.architecture.rooms import MOST_MODULES, ROOT
from tests.system import UNSUBSCRIBE_KEYS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_main_is_a_parts_list_under_forty_lines(service: str) -> None:
    parts, _, _ = (ROOT / "services" / service / "main.py").read_text().partition("\n\nif __name__")
    assert len(parts.splitlines()) < 40


def test_the_chassis_names_no_service() -> None:
    names = re.compile(rf"\b({'|'.join(SERVICES)})\b")
    for path in sorted((ROOT / "chassis").rglob("*.py")):
        assert not names.findall(path.read_text()), path


def test_the_import_contracts_hold() -> None:
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout


def test_only_the_composition_root_reads_settings_from_the_environment() -> None:
    for path in sorted((ROOT / "services").rglob("*.py")):
        tree = ast.parse(path.read_text())
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not attributes & {"environ", "getenv"}, path


def test_no_folder_is_a_corridor() -> None:
    assert {folder: n for folder, n in rooms.modules_by_folder().items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize(("tree", "most"), rooms.TREES.items())
def test_arrows_between_rooms_are_few_and_lead_one_way(tree: str, most: int) -> None:
    assert rooms.circle(tree) == []
    assert sum(map(len, rooms.arrows(tree).values())) <= most


def test_every_room_says_in_one_line_what_it_is_for() -> None:
    for tree in rooms.PRODUCT:
        for init in (ROOT / tree).rglob("__init__.py"):
            lines = init.read_text().splitlines()
            assert len(lines) == 1, init
            assert ast.get_docstring(ast.parse(lines[0])), init


def stored_models() -> list[type[BaseModel]]:
    """Give every model whose stored form leaves out what is None."""
    for service in SERVICES:
        importlib.import_module(f"services.{service}.documents")
    found: list[type[BaseModel]] = []
    bases: list[type[Any]] = [State, UuidDocument]
    while bases:
        subs = bases.pop().__subclasses__()
        found += [sub for sub in subs if sub.__module__.startswith("services.")]
        bases += subs
    return found


def test_what_may_be_none_in_a_stored_model_may_be_absent() -> None:
    """Fields that are None are not stored, so a model without their defaults cannot be read."""
    models = stored_models()
    assert len(models) > 12
    for model in models:
        for name, field in model.model_fields.items():
            if NoneType in get_args(field.annotation):
                assert not field.is_required(), f"{model.__name__}.{name}"


@pytest.mark.parametrize("topic", COMMANDS, ids=lambda topic: topic.name)
async def test_every_command_is_handled_by_its_owner(topic: Topic) -> None:
    """A known type that nobody reacts to is skipped, so that a forgotten command would be lost."""
    [owner] = topic.readers
    build = importlib.import_module(f"services.{owner}.main").build
    settings = get_type_hints(build)["settings"]
    service = build(
        settings(
            kafka_bootstrap_servers="nowhere:1",
            mongodb_uri="mongodb://nowhere",
            unsubscribe_keys=UNSUBSCRIBE_KEYS,
        )
    )
    assert set(topic.types) <= service._reactions.keys()
    await service.database.client.close()
