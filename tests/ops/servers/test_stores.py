"""What MongoDB refuses an operator's command is one line that says what to do."""

import pytest
from pymongo.errors import OperationFailure

from ops.errors import OperatorError
from ops.servers.stores import mongodb_errors

URI = "mongodb://127.0.0.1:27017/?replicaSet=rs0"


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("28: No space left on device", 8),
        OperationFailure("available disk space of 1 bytes is less than required minimum", 14_031),
    ],
)
def test_a_full_disk_names_its_remedy(error: OperationFailure) -> None:
    with pytest.raises(OperatorError) as refused, mongodb_errors(URI):
        raise error
    line = str(refused.value)
    assert line.startswith("MONGODB_URI: mongodb://127.0.0.1:27017/?replicaSet=rs0: ")
    assert line.endswith("; make room on the disk, then try again")


def test_another_refusal_is_told_as_it_is() -> None:
    with pytest.raises(OperatorError, match=r"Cannot create index$"), mongodb_errors(URI):
        raise OperationFailure("Cannot create index", 67)
