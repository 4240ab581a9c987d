"""The schema: what is committed is what is served, and says what is so."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from services.gateway.describe import OPENAPI, document, text
from services.gateway.http.openapi.components import ENUMS, EXAMPLES, models, schemas
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
    assert schemas().keys() == EXAMPLES.keys() | ENUMS.keys()
    by_title = {model.model_json_schema()["title"]: model for model in models()}
    for name, example in EXAMPLES.items():
        by_title[name].model_validate(example)


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


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects of a document, examples aside."""
    if isinstance(part, dict):
        yield part
        for key, value in part.items():
            if key not in ("examples", "example"):
                yield from parts(value)
    elif isinstance(part, list):
        for one in part:
            yield from parts(one)


def test_every_enum_is_a_named_component(whole: Any) -> None:
    """Else a generated client has a type for each place: name a new one in `ENUMS`."""
    named = [schema for schema in whole["components"]["schemas"].values() if "enum" in schema]
    assert len(named) == len({tuple(schema["enum"]) for schema in named}) == len(ENUMS)
    assert [part for part in parts(whole) if "enum" in part and part not in named] == []


def test_operation_ids_are_verb_and_noun(whole: Any) -> None:
    ids = {part["operationId"] for part in parts(whole) if "operationId" in part}
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]*)+|register", id_) for id_ in ids), ids
    assert ids >= {
        *("listClients", "createClient", "getClient", "updateClient", "deleteClient"),
        *("listClientTasks", "listClientTimeline", "pauseClientPlan", "unsubscribeClient"),
        *("importClients", "exportClients", "listAdminTasks", "retryTask", "cancelEmail"),
        *("releaseSuppression", "createKey", "logIn", "getMe", "streamEvents"),
    }


def test_responses_require_what_is_always_there_and_times_are_times(whole: Any) -> None:
    schemas_ = whole["components"]["schemas"]
    for name in ("ClientView", "TaskView", "EmailView", "SuppressionView", "TimelineEntry"):
        schema = schemas_[name]
        assert schema["required"] == list(schema["properties"]), name
        assert not any("default" in field for field in schema["properties"].values()), name
    assert schemas_["NewClient"]["required"] == ["name", "email"]
    time = {"type": "string", "format": "date-time"}
    client = schemas_["ClientView"]["properties"]
    assert client["created_at"].items() >= time.items()
    assert time in client["last_contacted"]["anyOf"]


def test_a_form_has_its_file_by_name(whole: Any) -> None:
    body = whole["paths"]["/api/clients/import"]["post"]["requestBody"]["content"]
    form = body["multipart/form-data"]["schema"]
    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert form["required"] == ["file"]


def test_parameters_are_absent_not_null(whole: Any) -> None:
    parameters = [part for part in parts(whole["paths"]) if "in" in part and "name" in part]
    assert len(parameters) > 50
    assert [part for one in parameters for part in parts(one) if part.get("type") == "null"] == []


def test_what_has_no_content_describes_none(whole: Any) -> None:
    empty = [
        operation["responses"]["204"]
        for operations in whole["paths"].values()
        for operation in operations.values()
        if "204" in operation["responses"]
    ]
    assert empty
    assert [response for response in empty if "content" in response] == []
