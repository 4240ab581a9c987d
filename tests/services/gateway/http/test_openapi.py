"""The schema: what is committed is what is served, and says what is so."""

from typing import Any

import pytest
from openapi_spec_validator import validate

from services.gateway.describe import OPENAPI, document, text
from services.gateway.http.openapi import EXAMPLES, MODULES, schemas
from tests.services.gateway.conftest import Api


@pytest.fixture(scope="module")
def whole() -> Any:
    return document()


async def test_what_is_committed_is_what_is_served(api: Api, whole: Any) -> None:
    """After a change of the API: `make describe`."""
    assert OPENAPI.read_text() == text()
    for path in ("/schema", "/schema/openapi.json"):
        served = await api.http.get(path, headers={"Authorization": ""})
        assert served.json() == whole


def test_it_is_valid_openapi(whole: Any) -> None:
    assert whole["openapi"].startswith("3.1")
    validate(whole)


def test_every_model_has_an_example_that_it_takes() -> None:
    assert schemas().keys() == EXAMPLES.keys()
    for name, example in EXAMPLES.items():
        [model] = [
            vars(module)[name]
            for module in MODULES
            if getattr(vars(module).get(name), "__module__", "") == module.__name__
        ]
        model.model_validate(example)


def test_every_operation_is_told_of_and_says_what_errors_look_like(whole: Any) -> None:
    ids = []
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            ids.append(operation["operationId"])
            assert operation["summary"], path
            refusals = [s for s in operation["responses"] if s.startswith("4")]
            assert refusals, (method, path)
            for status in refusals:
                assert "application/problem+json" in operation["responses"][status]["content"]
    assert len(ids) == len(set(ids))


def test_a_patch_has_no_defaults_since_what_is_absent_stays(whole: Any) -> None:
    patches = {n: s for n, s in whole["components"]["schemas"].items() if n.endswith("Patch")}
    assert len(patches) >= 4
    for name, schema in patches.items():
        assert schema["additionalProperties"] is False, name
        assert not any("default" in field for field in schema["properties"].values()), name
