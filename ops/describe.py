"""Writes the generated parts of the docs: `python -m ops.describe` writes, `--check` compares.

They stand between marks: the settings in docs/settings.md, from the settings classes; the routes in
docs/api.md, from docs/openapi.json; the messages in docs/architecture.md, from the catalogue; what
problems mean in docs/problems.md.
"""

import argparse
import importlib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_type_hints

from pydantic.fields import FieldInfo

from chassis.process.settings import Settings
from contracts.catalogue import COMMANDS, EVENTS, FOREVER, REPLIES, Topic
from contracts.services import SERVICES
from services.gateway.http.problem_types import TYPES

DOCS: Final = Path(__file__).parents[1] / "docs"
_MARKED: Final = re.compile(r"(?<=<!-- generated -->\n).*(?=<!-- end -->)", re.DOTALL)


def documents() -> dict[Path, str]:
    """Return what each file with a generated part has to hold."""
    openapi = json.loads((DOCS / "openapi.json").read_text())
    parts = {
        "settings.md": _settings(),
        "api.md": _routes(openapi),
        "architecture.md": _messages(),
        "problems.md": _problems(),
    }
    return {DOCS / name: _filled(DOCS / name, lines) for name, lines in parts.items()}


def stale() -> list[str]:
    """Return the names of the files that are not as generated."""
    return [path.name for path, text in documents().items() if path.read_text() != text]


def settings_of(service: str) -> type[Settings]:
    """Return the settings class that the service's `build` takes."""
    build = importlib.import_module(f"services.{service}.main").build
    settings: type[Settings] = get_type_hints(build)["settings"]
    return settings


def _settings() -> Iterator[str]:
    readers: dict[str, dict[str, FieldInfo]] = defaultdict(dict)
    for service in SERVICES:
        for name, field in settings_of(service).model_fields.items():
            readers[name][service] = field
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, fields in readers.items():
        groups[tuple(fields)].append(name)
    for services, names in sorted(groups.items(), key=lambda group: -len(group[0])):
        yield f"### {'All services' if services == SERVICES else ', '.join(services)}\n"
        rows = [(f"`{n.upper()}`", _default(readers[n]), _meaning(n, readers[n])) for n in names]
        yield from _table(("setting", "default", "meaning"), rows)
        yield ""


def _default(fields: dict[str, FieldInfo]) -> str:
    services: dict[str, list[str]] = defaultdict(list)
    for service, field in fields.items():
        services[_value(field)].append(service)
    if len(services) == 1:
        return next(iter(services))
    return "; ".join(f"{value} in {', '.join(names)}" for value, names in services.items())


def _value(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "" if field.default is None else f"`{field.default}`"


def _meaning(name: str, fields: dict[str, FieldInfo]) -> str:
    """Return the one description. Raises ValueError when there is none, or there are several."""
    found = {field.description for field in fields.values() if field.description}
    if len(found) != 1:
        raise ValueError(f"the setting {name} needs one description: a docstring below its field")
    return " ".join(found.pop().split())


def _routes(openapi: dict[str, Any]) -> Iterator[str]:
    rows: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            asked = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            route = f"`{method.upper()} {path}{'?' if asked else ''}{'&'.join(asked)}`"
            public = "" if operation.get("security") is None else " *Public.*"
            rows[operation["tags"][0]].append((route, f"{operation['summary']}.{public}"))
    for tag in openapi["tags"]:
        yield f"### {tag['name']}\n\n{tag['description']}\n"
        yield from _table(("route", "what it does"), rows[tag["name"]])
        yield ""


def _problems() -> Iterator[str]:
    for one in TYPES:
        yield f"### {one.slug}\n\n{one.status}, `{one.code}`: {one.title}. {one.advice}\n"


def _messages() -> Iterator[str]:
    rows = [_row(topic) for topic in (*EVENTS, *COMMANDS, REPLIES)]
    yield from _table(("topic", "written by", "messages", "read by", "retention"), rows)


def _row(topic: Topic) -> tuple[str, ...]:
    types = ", ".join(type_.__name__ for type_ in topic.types)
    readers = ", ".join(topic.readers) or "anyone"
    return f"`{topic.name}`", topic.writer, types, readers, _retention(topic)


def _retention(topic: Topic) -> str:
    return "forever" if topic.retention == FOREVER else f"{topic.retention // timedelta(hours=1)} h"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _filled(path: Path, lines: Iterable[str]) -> str:
    part = "\n".join(lines).strip()
    return _MARKED.sub(lambda _: f"\n{part}\n\n", path.read_text())


def main() -> None:
    """Write the files, or with `--check` name those that are stale: exit code 1 if any is."""
    parser = argparse.ArgumentParser(prog="ops.describe", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    if parser.parse_args().check:
        names = stale()
        sys.stdout.write(f"stale: {', '.join(names)}\n" if names else "up to date\n")
        sys.exit(bool(names))
    for path, text in documents().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
