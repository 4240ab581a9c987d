"""Lists over HTTP, in the order that is asked for."""

from uuid import uuid4

import pytest

from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [
        ("-created_at", "6543210"),
        ("created_at", "0123456"),
        ("name", "0123456"),
        ("-name", "6543210"),
    ],
)
async def test_clients_come_in_the_order_that_is_asked_for(
    api: Api, seven: list[str], sort: str, numbers: str
) -> None:
    shown = ""
    for page in (1, 2, 3):
        response = await api.http.get(f"/api/clients?q={seven[0]}&sort={sort}&limit=3&page={page}")
        assert response.headers["x-total-count"] == "7"
        shown += "".join(client["name"][-1] for client in response.json())
    assert shown == numbers


async def test_names_are_sorted_whatever_their_case_and_whatever_else_is_asked_for(
    api: Api,
) -> None:
    word = f"w{uuid4().hex[:10]}"
    for name in ("bo", "Élan", "Cy", "elan", "al", "Bo"):
        await api.add(name=f"{name} {word}")
    for more in (f"&q={word}", f"&q={word}+{word[:8]}&stage=lead"):
        response = await api.http.get(f"/api/clients?sort=name{more}")
        names = [client["name"].split()[0] for client in response.json()]
        assert [names[0], names[3:]] == ["al", ["Cy", "elan", "Élan"]]
        assert {*names[1:3]} == {"bo", "Bo"}
    # The whole list, too: it takes another index.
    names = []
    page = 1
    while rows := (await api.http.get(f"/api/clients?sort=-name&limit=100&page={page}")).json():
        names += [client["name"] for client in rows if word in client["name"]]
        page += 1
    assert [name.split()[0].casefold() for name in names] == [
        *("élan", "elan", "cy", "bo", "bo", "al")
    ]


async def test_who_was_contacted_last_or_never_comes_first(api: Api, story: Story) -> None:
    path = f"/api/clients/{story.client}"
    await api.get_until(path, lambda r: bool(r.json()["last_contacted"]))
    latest = (await api.http.get("/api/clients?sort=-last_contacted")).json()
    contacted = [client["last_contacted"] for client in latest if client["last_contacted"]]
    assert contacted == sorted(contacted, reverse=True) != []
    [never] = (await api.http.get("/api/clients?sort=last_contacted&limit=1")).json()
    assert never["last_contacted"] is None


async def test_tasks_and_emails_come_in_the_order_that_is_asked_for(api: Api, story: Story) -> None:
    for path, field in (("tasks", "scheduled_for"), ("emails", "created_at")):
        for sort in (field, f"-{field}"):
            rows = (await api.http.get(f"/api/{path}?sort={sort}&limit=100")).json()
            times = [row[field] for row in rows]
            assert times == sorted(times, reverse=sort.startswith("-")) != []
