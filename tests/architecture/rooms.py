"""The rooms of the code: `python -m tests.architecture.rooms` prints modules, arrows and circles.

A room is a folder directly below a tree, or a module at its root. An arrow leads from a room to
each other room of the same tree that it imports, at module level or inside a function.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("contracts", "chassis", "services", "ops")
# Each tree with how many arrows between its rooms there may be.
TREES: Final = {"chassis": 39, "services/gateway": 45, "ops": 30}
MOST_MODULES: Final = 14


def modules_by_folder() -> Counter[str]:
    """Count the modules of each folder of product code, `__init__` and `__main__` aside."""
    return Counter(
        str(path.parent.relative_to(ROOT))
        for tree in PRODUCT
        for path in (ROOT / tree).rglob("*.py")
        if not path.stem.startswith("__")
    )


def arrows(tree: str) -> dict[str, set[str]]:
    """Return, for each room of the tree, the other rooms that it imports."""
    package = tree.replace("/", ".")
    found: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / tree).rglob("[!_]*.py"):
        room = path.relative_to(ROOT / tree).parts[0].removesuffix(".py")
        for imported in _imported(path):
            if imported.startswith(f"{package}."):
                found[room].add(imported.removeprefix(f"{package}.").partition(".")[0])
        found[room].discard(room)
    return dict(found)


def circle(tree: str) -> list[str]:
    """Return the rooms of a circle of arrows, or an empty list when there is none."""
    found = arrows(tree)
    done: set[str] = set()

    def visit(room: str, way: list[str]) -> list[str]:
        if room in way:
            return way[way.index(room) :]
        if room in done:
            return []
        for other in sorted(found.get(room, ())):
            if closed := visit(other, [*way, room]):
                return closed
        done.add(room)
        return []

    return next((closed for room in sorted(found) if (closed := visit(room, []))), [])


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def report() -> Iterator[str]:
    """Describe the rooms, a line each."""
    for folder, count in sorted(modules_by_folder().items()):
        yield f"{folder}: {count} modules"
    for tree, most in TREES.items():
        found = arrows(tree)
        total = sum(map(len, found.values()))
        yield f"\n{tree}: {total} arrows (at most {most}), circle: {circle(tree) or 'none'}"
        for room, others in sorted(found.items()):
            yield f"  {room} -> {', '.join(sorted(others)) or '(nothing)'}"


if __name__ == "__main__":
    print("\n".join(report()))  # noqa: T201
