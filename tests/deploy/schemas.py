"""Checks custom resources against the schemas of their definitions, strictly.

Those are of modules that `tests/cluster/tools/build.sh crds` has downloaded.
"""

from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.deploy.chart import CRDS, Manifest

Schema = dict[str, Any]


@cache
def definitions() -> dict[tuple[str, str], Schema]:
    """Return the schema of each custom resource by its apiVersion and kind."""
    found = {}
    for path in CRDS.glob("*.yaml"):
        for definition in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            if not definition or definition["kind"] != "CustomResourceDefinition":
                continue
            spec = definition["spec"]
            for version in spec["versions"]:
                name = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                found[name] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _strict(schema: Schema) -> Schema:
    """Refuse fields that are not named, as an API server does when it is asked to."""
    if properties := schema.get("properties"):
        schema["properties"] = {name: _strict(part) for name, part in properties.items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            schema[part] = _strict(schema[part])
    return schema


def problems(manifest: Manifest) -> list[str]:
    """Return what is wrong with a custom resource. Raises KeyError for an unknown one."""
    schema = definitions()[manifest["apiVersion"], manifest["kind"]]
    found = Draft202012Validator(schema).iter_errors({**manifest, "metadata": {}})
    return [f"{manifest['kind']} {error.json_path}: {error.message}" for error in found]
