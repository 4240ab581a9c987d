"""What a client has told a former agent, over HTTP: its present agent sees it, and keeps to it."""

from uuid import UUID, uuid4

from contracts.mailer import AddressSuppressed, SuppressedAddress, suppression_id
from tests.services.gateway.client_events import NOON
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem


async def test_the_present_agent_sees_it_and_cannot_release_it(api: Api) -> None:
    client_id, former = await api.add(), uuid4()
    client = f"/api/clients/{client_id}"
    problem(await api.http.get(f"{client}/suppression"), 404)
    address = (await api.http.get(client)).json()["email"]
    told = AddressSuppressed(
        agent_id=former,
        suppression_id=suppression_id(former, address),
        reason="unsubscribed",
        suppressed_at=NOON,
        personal=SuppressedAddress(email=address, canonical=address),
        reported_client=UUID(client_id),
        source="link",
    )
    await api.publish(told)
    found = await api.get_until(f"{client}/suppression", lambda r: r.is_success)
    shown = {"agent_id": str(former), "email": address, "reason": "unsubscribed", "source": "link"}
    assert shown.items() <= found.json().items()
    assert address not in (await api.http.get("/api/suppressions?limit=100")).text
    release = f"/api/suppressions/{told.suppression_id}/release"
    problem(await api.http.post(release, json={"reason": "asked for it"}), 404)
    # It was of the address that the client had then.
    moved = {"email": f"{uuid4().hex}@mail.example.com"}
    assert (await api.http.patch(client, json=moved)).is_success
    problem(await api.http.get(f"{client}/suppression"), 404)
