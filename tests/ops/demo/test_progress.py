"""The demo's progress, polled from the API."""

import pytest

from ops.api_client.client import ApiClient, Client, Task
from ops.demo.board import FOLLOWUPS
from ops.demo.progress import Progress
from ops.errors import ApiUnavailable
from services.gateway.leads.parsing import Lead

ANN = Lead(line=2, name="Ann", email="Ann@example.com")


class Scripted(ApiClient):
    """Returns the given answers; None stands for a gateway that is unavailable."""

    def __init__(self, *tasks: list[Task] | None) -> None:
        super().__init__("http://127.0.0.1:1")
        self._script = iter(tasks)

    async def clients(self) -> list[Client]:
        return [Client(id="1", email="ann@example.com", stage="lead")]

    async def tasks(self) -> list[Task]:
        tasks = next(self._script)
        if tasks is None:
            raise ApiUnavailable("nothing answers")
        return tasks


def all_tasks(status: str) -> list[Task]:
    return [Task(kind, "1", kind, status, "") for kind in FOLLOWUPS]


async def test_it_is_settled_when_all_are_sent() -> None:
    progress = Progress(Scripted(all_tasks("pending"), all_tasks("sent")), [ANN])
    assert not progress.is_settled
    await progress.refresh()
    assert not progress.is_settled
    await progress.refresh()
    assert progress.is_settled
    assert not progress.was_settled_at_start
    assert "5 of 5 sent" in progress.summary_line()
    assert progress.rate > 0


async def test_what_a_refresh_misses_stays_as_it_was() -> None:
    progress = Progress(Scripted(all_tasks("sent"), all_tasks("sent")[:2], None), [ANN])
    await progress.refresh()
    await progress.refresh()
    assert progress.is_settled
    with pytest.raises(ApiUnavailable):
        await progress.refresh()
    assert progress.is_settled


async def test_it_knows_that_an_earlier_run_did_it_all() -> None:
    progress = Progress(Scripted(all_tasks("sent")), [ANN])
    await progress.refresh()
    assert progress.was_settled_at_start
    assert progress.rate == 0
