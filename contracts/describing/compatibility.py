"""What may change in a JSON Schema after its release: it may gain optional fields, little else.

Other parties read events and replies with the released schema, and old events are read with the
newest: so a released field keeps its form exactly, including the values of an enum, since a reader
may handle only those. Any other change needs another field, or another version of the type. An
enum of a command may gain values, and its texts may be longer: only the owner reads it, and is
updated first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_ANNOTATIONS = {"$schema", "$defs", "$ref", "title", "description"}
_COMPARED = {"properties", "required", "items", "additionalProperties", "anyOf", "enum"}


def incompatibilities(released: Schema, current: Schema | None, *, command: bool) -> list[str]:
    """Return the changes that are not allowed, by the path of their field; none: compatible.

    Both are schemas of one type as `contracts.describing.files` writes them; None: it was removed.
    """
    if current is None:
        return ["the type was removed"]
    return list(_Comparison(released, current, command).of(released, current, "value"))


class _Comparison:
    def __init__(self, released: Schema, current: Schema, command: bool) -> None:
        self._old_definitions: Schema = released.get("$defs", {})
        self._new_definitions: Schema = current.get("$defs", {})
        self._command = command

    def of(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        old, new = _resolved(old, self._old_definitions), _resolved(new, self._new_definitions)
        for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _COMPARED):
            before, now = old.get(keyword), new.get(keyword)
            if before != now and not (self._command and _is_longer(keyword, before, now)):
                yield f"{at}: {keyword} {before!r} became {now!r}"
        yield from self._properties(old, new, at)
        yield from self._enum(old.get("enum"), new.get("enum"), at)
        for keyword in ("items", "additionalProperties"):
            before, now = old.get(keyword), new.get(keyword)
            if isinstance(before, dict) and isinstance(now, dict):
                yield from self.of(before, now, f"{at}[]")
            elif before != now:
                yield f"{at}: {keyword} {before!r} became {now!r}"
        befores, nows = old.get("anyOf", []), new.get("anyOf", [])
        if len(befores) != len(nows):
            yield f"{at}: has {len(nows)} alternatives instead of {len(befores)}"
        for before, now in zip(befores, nows, strict=False):
            yield from self.of(before, now, at)

    def _properties(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        befores, nows = old.get("properties", {}), new.get("properties", {})
        for name, before in befores.items():
            if name in nows:
                yield from self.of(before, nows[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: was removed"
        required, requires = set(old.get("required", ())), set(new.get("required", ()))
        yield from (f"{at}.{name}: has become required" for name in sorted(requires - required))
        yield from (f"{at}.{name}: is no longer required" for name in sorted(required - requires))

    def _enum(self, old: list[Any] | None, new: list[Any] | None, at: str) -> Iterator[str]:
        before, now = set(old or ()), set(new or ())
        if before - now or (old is None) != (new is None):
            yield f"{at}: the values {old} became {new}"
        elif now - before and not self._command:
            yield f"{at}: a reader of the released schema does not know {sorted(now - before)}"


def _is_longer(keyword: str, before: Any, now: Any) -> bool:
    return keyword == "maxLength" and None not in (before, now) and bool(now > before)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    return {**_resolved(definitions[reference.rpartition("/")[2]], definitions), **schema}
