"""Uses the generated client on a running system: `use.py URL API_KEY`. Type-checked strictly."""

import sys
from http import HTTPStatus
from io import BytesIO
from uuid import UUID

from realtoros_client import AuthenticatedClient
from realtoros_client.api.clients import (
    create_client,
    import_clients,
    list_client_tasks,
    list_clients,
    update_client,
)
from realtoros_client.models import (
    ClientCreated,
    ClientPatch,
    ClientSort,
    ClientView,
    ImportClientsFilesBody,
    ImportReport,
    ListedTask,
    NewClient,
    Problem,
    Stage,
    TaskStatus,
)
from realtoros_client.types import File

EMAIL = "pia@python.example.com"
CSV = b"name,email\nImre,imre@python.example.com\nNobody,\n"


def add(client: AuthenticatedClient) -> UUID:
    """Add a client, and try it again under the same email."""
    body = NewClient(name="Pia Thon", email=EMAIL, stage=Stage.NEGOTIATING)
    created = create_client.sync(client=client, body=body)
    assert isinstance(created, ClientCreated), created
    again = create_client.sync(client=client, body=NewClient(name="Pia Again", email=EMAIL))
    assert isinstance(again, Problem), again
    assert (again.code, again.client_id) == ("duplicate_email", created.client_id)
    return created.client_id


def follow(client: AuthenticatedClient, client_id: UUID) -> None:
    """Read the client's follow-ups, and change the client."""
    tasks = list_client_tasks.sync(client_id, client=client)
    assert isinstance(tasks, list), tasks
    assert all(isinstance(task, ListedTask) for task in tasks)
    assert {task.status for task in tasks} == {TaskStatus.PENDING}
    changed = update_client.sync(client_id, client=client, body=ClientPatch(notes="Mornings."))
    assert isinstance(changed, ClientView), changed
    assert changed.notes == "Mornings."
    assert changed.created_at.tzinfo


def import_and_list(client: AuthenticatedClient) -> None:
    """Import a file, and list what there is."""
    file = File(payload=BytesIO(CSV), file_name="clients.csv", mime_type="text/csv")
    report = import_clients.sync(client=client, body=ImportClientsFilesBody(file=file))
    assert isinstance(report, ImportReport), report
    assert (report.imported, report.refused) == (1, 1)
    response = list_clients.sync_detailed(
        client=client,
        stage=[Stage.LEAD, Stage.NEGOTIATING],
        q="python.example",
        sort=ClientSort.NAME,
    )
    assert response.status_code == HTTPStatus.OK
    assert isinstance(response.parsed, list)
    assert [one.name for one in response.parsed] == ["Imre", "Pia Thon"]


def main(url: str, key: str) -> None:
    """Use five routes."""
    with AuthenticatedClient(base_url=url, token=key) as client:
        follow(client, add(client))
        import_and_list(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
