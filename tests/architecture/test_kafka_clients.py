"""Kafka's and MongoDB's clients are made in one place each, so that all of them log in."""

import ast
from pathlib import Path

import pytest

from tests.architecture.rooms import PRODUCT, ROOT

KAFKA = {"AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "KafkaBroker"}
MONGODB = {"AsyncMongoClient", "MongoClient"}
# Whether a server answers at all is asked without a login.
PROBES = "ops/servers/probes.py"


@pytest.mark.parametrize(
    ("clients", "places"),
    [
        (KAFKA, {"chassis/kafka/servers.py"}),
        (MONGODB, {"chassis/mongo/client.py", PROBES}),
    ],
)
def test_clients_are_made_in_one_place(clients: set[str], places: set[str]) -> None:
    made = {
        str(path.relative_to(ROOT))
        for tree in PRODUCT
        for path in (ROOT / tree).rglob("*.py")
        if _called(path) & clients
    }
    assert made == places


def _called(path: Path) -> set[str]:
    """Return the names that the module calls."""
    calls = (
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    )
    return {
        call.id if isinstance(call, ast.Name) else call.attr
        for call in calls
        if isinstance(call, ast.Name | ast.Attribute)
    }
