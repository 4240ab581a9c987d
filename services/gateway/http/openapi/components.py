"""The document's schemas, by name: a model's title, an enum's name.

Litestar's own schemas of the models lack limits inside optional fields, and that unknown fields are
refused.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from contracts import sending_hours, steps
from contracts.crm import PropertyType, Review, Stage
from contracts.mailer import Resolution, SuppressionReason
from contracts.message import rfc3339
from contracts.replies import RejectionKind
from contracts.scheduler import FollowupType
from contracts.steps import Priority
from services.gateway import errors
from services.gateway.accounts import schemas as account_shapes
from services.gateway.accounts.caller import Role, Scope
from services.gateway.accounts.links import schemas as link_shapes
from services.gateway.commands import reassignment
from services.gateway.commands.imports import report as importing
from services.gateway.commands.imports.client_import import OnKnown
from services.gateway.http import problem_details as problems
from services.gateway.http.pagination import ClientSort, EmailSort, TaskSort
from services.gateway.read_models import timeline, token_counts
from services.gateway.read_models.dashboard import attention, series, stats
from services.gateway.read_models.documents import (
    CommandOutcome,
    EmailStatus,
    TaskStatus,
)
from services.gateway.read_models.schemas import (
    bulk,
    clients,
    commands,
    common,
    drafts,
    followups,
    sequences,
)
from services.gateway.read_models.sending import SendingState

# Names in them are fictitious.
EXAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "examples.json").read_text(encoding="utf-8")
)
MODULES = (
    bulk,
    clients,
    followups,
    drafts,
    sequences,
    steps,
    commands,
    account_shapes,
    link_shapes,
    stats,
    attention,
    series,
    timeline,
    token_counts,
    importing,
    reassignment,
    problems,
    errors,
    sending_hours,
)
# Every enum has a name, so that generated clients have one type for it, wherever it is used.
ENUMS: Final = {
    "ApprovalOutcome": drafts.ApprovalOutcome,
    "AttentionKind": attention.AttentionKind,
    "BulkOutcomeKind": bulk.BulkOutcomeKind,
    "ClientActionKind": bulk.ClientActionKind,
    "ClientSort": ClientSort,
    "CommandOutcome": CommandOutcome,
    "DraftStatus": drafts.DraftStatus,
    "EmailResolutionKind": Resolution,
    "EmailSort": EmailSort,
    "EmailStatus": EmailStatus,
    "FollowupType": FollowupType,
    "ImportOutcome": importing.Outcome,
    "OnKnownClient": OnKnown,
    "Priority": Priority,
    "PropertyType": PropertyType,
    "RejectionKind": RejectionKind,
    "RetryOutcome": followups.RetryOutcome,
    "Review": Review,
    "Role": Role,
    "Scope": Scope,
    "SendingState": SendingState,
    "SeriesUnit": series.SeriesUnit,
    "Stage": Stage,
    "SuppressionReason": SuppressionReason,
    "TaskActionKind": bulk.TaskActionKind,
    "TaskSort": TaskSort,
    "TaskStatus": TaskStatus,
    "Weekday": sending_hours.Weekday,
}
_ENUM_NAMES = {get_args(values): name for name, values in ENUMS.items()}
_BASES = (common.ReadModel, account_shapes.Body, bulk.Selection, followups.EmailSummary)
_REF = "#/components/schemas/{model}"
# Values, not schemas.
_DATA = ("const", "default", "enum", "example", "examples")


def ref(name: str) -> dict[str, str]:
    """Return a reference to the schema."""
    return {"$ref": _REF.format(model=name)}


def named(part: Any) -> Any:
    """Return the part of a document with references by the schemas' names, to enums, too."""
    match part:
        case list():
            return [named(one) for one in part]
        case {"enum": values} if name := _ENUM_NAMES.get(tuple(values)):
            return ref(name) | {k: part[k] for k in ("description", "default") if k in part}
        case {"$ref": str(to)}:
            name = to.rpartition("/")[2]
            return part | ref(_titles().get(name, name))
        case dict():
            return {k: v if k in _DATA else named(v) for k, v in part.items()}
    return part


@cache
def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of all requests and responses, by name."""
    found = {_titles()[name]: named(schema) for name, schema in _by_class().items()}
    for name, schema in found.items():
        if schema.get("additionalProperties") is False:
            _tell_defaults(schema, patch=name.endswith("Patch"))
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
    enums = {n: {"type": "string", "enum": list(get_args(v))} for n, v in ENUMS.items()}
    return dict(sorted((found | enums).items()))


def models() -> Iterator[type[BaseModel]]:
    """Yield the models of all requests and responses."""
    for module in MODULES:
        for value in vars(module).values():
            known = isinstance(value, type) and value.__module__ == module.__name__
            if known and issubclass(value, BaseModel) and value not in _BASES:
                yield value


class _Generator(GenerateJsonSchema):
    """Says of responses that times are times, and that what has a default is there, too."""

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        if schema.get("function") is rfc3339:
            return self.datetime_schema(core_schema.datetime_schema())
        return super().ser_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def field_is_required(self, field: Any, total: bool) -> bool:
        if self.mode == "serialization":
            return field.get("serialization_exclude_if") is None
        return super().field_is_required(field, total)


def _tell_defaults(schema: dict[str, Any], *, patch: bool) -> None:
    """Tell a request's defaults in words: for their sake, generators would require the fields.

    In a patch what is absent stays as it is, whatever defaults messages publish.
    """
    for field in schema["properties"].values():
        default = field.pop("default", None)
        if default and not patch:
            field["description"] = f"{json.dumps(default)} if it is absent"


@cache
def _by_class() -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(model, "validation" if _is_request(model) else "serialization") for model in models()],
        ref_template=_REF,
        schema_generator=_Generator,
    )
    found: dict[str, Any] = definitions["$defs"]
    return found


@cache
def _titles() -> dict[str, str]:
    """Return the schemas' names by those of their classes. Raises ValueError if two are equal."""
    titles = {name: schema["title"] for name, schema in _by_class().items()}
    if len(set(titles.values())) < len(titles):
        raise ValueError(f"two schemas have the same title: {sorted(titles.values())}")
    return titles


def _is_request(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid"
