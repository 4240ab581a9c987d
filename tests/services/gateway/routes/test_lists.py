"""Lists over HTTP: pages with their total and neighbours, filters, and what is refused."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from chassis.mongo.client import connect
from tests.servers import Server
from tests.services.gateway.client_events import DAY, NOON, Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.system import AGENT


def links(response: httpx2.Response) -> dict[str, str]:
    """Read the Link header (RFC 8288)."""
    return {
        rel: target
        for target, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["link"])
    }


def total(response: httpx2.Response) -> int:
    assert response.status_code == 200, response.text
    return int(response.headers["x-total-count"])


async def followed(api: Api, path: str) -> AsyncIterator[Any]:
    """Yield the rows of a list, from page to next page."""
    following: str | None = path
    while following:
        response = await api.http.get(following)
        assert response.status_code == 200, response.text
        for row in response.json():
            yield row
        following = links(response).get("next")


async def test_clients_come_the_newest_first_page_by_page(api: Api, seven: list[str]) -> None:
    word, *ids = seven
    pages = []
    path: str | None = f"/api/clients?limit=3&q={word}"
    while path:
        response = await api.http.get(path)
        assert total(response) == 7
        pages.append([client["_id"] for client in response.json()])
        found = links(response)
        assert {"first", "last"} <= set(found)
        assert ("prev" in found) == (len(pages) > 1)
        path = found.get("next")
    assert pages == [ids[:3], ids[3:6], ids[6:]]
    last = await api.http.get(found["last"])
    assert [client["_id"] for client in last.json()] == ids[6:]
    before = await api.http.get(found["prev"])
    assert [client["_id"] for client in before.json()] == ids[3:6]
    first = await api.http.get(found["first"])
    assert [client["_id"] for client in first.json()] == ids[:3]


async def test_a_page_beyond_the_last_is_empty_and_knows_the_way_back(
    api: Api, seven: list[str]
) -> None:
    response = await api.http.get("/api/clients", params={"q": seven[0], "page": 5})
    assert (total(response), response.json()) == (7, [])
    assert "next" not in links(response)
    for nothing in ("no-such-word", ".*", "@", "\U0001f600"):
        assert total(await api.http.get("/api/clients", params={"q": nothing})) == 0


@pytest.mark.parametrize("q", ["{word}", "ana {word}", "{word} ana&sort=name"])
async def test_pages_by_number_and_by_cursor_have_all_that_is_found(
    api: Api, seven: list[str], q: str
) -> None:
    word, *ids = seven
    path = f"/api/clients?limit=3&q={q.format(word=word)}"
    pages = [(await api.http.get(f"{path}&page={page}")).json() for page in (1, 2, 3)]
    numbered = [client["_id"] for page in pages for client in page]
    assert sorted(numbered) == sorted(ids)
    assert numbered == [client["_id"] async for client in followed(api, path)]


@pytest.fixture(scope="module")
async def thousands(
    api: Api, seven: list[str], mongodb_server: Server
) -> AsyncIterator[tuple[str, set[str]]]:
    """A word, and the ids of the 5,010 clients that have it; they are only in the view."""
    word = f"w{uuid4().hex[:10]}"
    async with connect(mongodb_server.address) as client:
        clients = client["realtoros_gateway"]["clients"]
        [one] = await clients.find({"_id": UUID(seven[1])}).to_list()
        rows = [one | {"_id": uuid4(), "search": [f"lee{n}", f"{word}{n}"]} for n in range(5_010)]
        await clients.insert_many(rows)
        yield word, {str(row["_id"]) for row in rows}
        await clients.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})


@pytest.mark.parametrize("q", ["{word}", "lee {word}", "{word}&sort=name", "lee {word}&sort=-name"])
async def test_a_search_for_what_thousands_have_ends_with_the_last_of_them(
    api: Api, thousands: tuple[str, set[str]], q: str
) -> None:
    word, ids = thousands
    path = f"/api/clients?limit=100&q={q.format(word=word)}"
    first = await api.http.get(path)
    assert total(first) == 5_000
    assert links(first).keys() == {"first", "next"}
    last = await api.http.get(f"{path}&page=51")
    assert (total(last), len(last.json())) == (5_010, 10)
    assert links(last).keys() == {"first", "prev", "last"}
    assert {client["_id"] async for client in followed(api, path)} == ids


async def test_twenty_rows_are_on_a_page_unless_said_otherwise(api: Api) -> None:
    for _ in range(21):
        await api.add()
    response = await api.http.get("/api/clients")
    assert len(response.json()) == 20
    assert total(response) > 20


async def test_stages_may_be_given_several_times_and_stay_in_the_links(
    api: Api, seven: list[str]
) -> None:
    word = seven[0]
    query = f"/api/clients?q={word}&stage=closed&stage=lost"
    response = await api.http.get(f"{query}&limit=1")
    assert total(response) == 2
    assert response.json()[0]["stage"] == "lost"
    after = await api.http.get(links(response)["next"])
    assert (total(after), after.json()[0]["stage"]) == (2, "closed")
    assert total(await api.http.get(f"/api/clients?q={word}&stage=lead")) == 4


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("{word}", 7),
        ("{upper}", 7),
        ("ana {prefix}", 7),
        ("{word} ÉLYSÉE-", 7),
        ("{word} (old", 7),
        ("{word}.3@mail", 1),
        ("{word} nobody", 0),
        ("{word} .*", 7),
        ("{tail}", 0),
    ],
)
async def test_q_finds_the_beginnings_of_words_whatever_their_case(
    api: Api, seven: list[str], q: str, found: int
) -> None:
    word = seven[0]
    names = {"word": word, "upper": word.upper(), "prefix": word[:6], "tail": word[1:]}
    response = await api.http.get("/api/clients", params={"q": q.format(**names)})
    assert total(response) == found


async def test_a_client_s_tasks_come_the_earliest_first(api: Api, story: Story) -> None:
    response = await api.http.get(f"/api/clients/{story.client}/tasks")
    assert total(response) == 5
    tasks = response.json()
    assert [task["_id"] for task in tasks] == [str(id_) for id_ in story.ids]
    statuses = ["pending", "cancelled", "composed", "unknown", "sent"]
    assert [task["status"] for task in tasks] == statuses
    assert [task["followup_type"] for task in tasks][:2] == ["Day 1", "Day 3"]
    assert tasks[4]["email_sent_id"] == str(story.emails[4])
    assert tasks[3]["error_message"] == "no answer"
    details = (await api.http.get(f"/api/tasks/{story.ids[0]}")).json()
    listed = ("client_name", "subject", "email_status")
    assert details == {key: tasks[0][key] for key in tasks[0] if key not in listed} | {
        "flagged": None
    }
    name = (await api.http.get(f"/api/clients/{story.client}")).json()["name"]
    assert [tasks[4][key] for key in listed] == [name, "Hello", "opened"]
    assert tasks[0].keys() == {
        *("_id", "agent_id", "client_id", "followup_type", "scheduled_for", "status", "priority"),
        *(
            "email_sent_id",
            "step",
            "goal",
            "notes",
            "instructions",
            "error_message",
            "postponed",
            "flags",
        ),
        *("created_at", "updated_at"),
        *listed,
    }


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("&status=pending", [0]),
        ("&status=sent&status=unknown", [3, 4]),
        ("&status=failed", []),
        ("&due_before=2026-02-07T12:00:00Z", [0, 1]),
        ("&due_before=2026-02-07T13:00:01%2B01:00", [0, 1, 2]),
        ("&due_before=2026-02-08T12:00:00Z&status=composed", [2]),
        ("&due_after=2026-02-07T12:00:00Z", [2, 3, 4]),
        ("&due_after=2026-02-07T12:00:00Z&due_before=2026-02-08T12:00:00Z", [2]),
        ("&priority=high", [0]),
        ("&priority=high&priority=low", [0, 3, 4]),
        ("&priority=low&status=sent", [4]),
        ("&page=2&limit=2", [2, 3]),
        ("&sort=-scheduled_for&limit=3", [4, 3, 2]),
    ],
)
async def test_tasks_are_filtered(api: Api, story: Story, query: str, numbers: list[int]) -> None:
    response = await api.http.get(f"/api/tasks?client_id={story.client}{query}")
    assert response.status_code == 200, response.text
    assert [task["_id"] for task in response.json()] == [str(story.ids[n]) for n in numbers]


async def test_tasks_of_all_clients_are_in_one_list(api: Api, story: Story) -> None:
    before = (NOON + 2 * DAY).isoformat().replace("+00:00", "Z")
    response = await api.http.get("/api/tasks", params={"due_before": before, "limit": 100})
    assert str(story.ids[0]) in [task["_id"] for task in response.json()]


async def test_emails_come_the_newest_first_with_what_became_of_them(
    api: Api, story: Story
) -> None:
    response = await api.http.get("/api/emails", params={"client_id": str(story.client)})
    assert total(response) == 2
    opened, unknown = response.json()
    assert (opened["status"], unknown["status"]) == ("opened", "unknown")
    whole = (await api.http.get(f"/api/emails/{story.emails[4]}")).json()
    name = (await api.http.get(f"/api/clients/{story.client}")).json()["name"]
    assert opened == {key: whole[key] for key in whole if key != "body"} | {
        "client_name": name,
        "step": "Month 1",
    }
    assert opened["task_id"] == str(story.ids[4])
    assert opened["sendgrid_message_id"] == "m1"
    assert (opened["subject"], opened["written_by"]) == ("Hello", "templates")
    many = await api.http.get(f"/api/emails?client_id={story.client}&status=unknown&status=opened")
    assert total(many) == 2
    one = await api.http.get(f"/api/emails?client_id={story.client}&status=unknown")
    assert [email["_id"] for email in one.json()] == [str(story.emails[3])]


async def test_a_sent_email_moves_the_client_s_last_contact(api: Api, story: Story) -> None:
    client = await api.get_until(
        f"/api/clients/{story.client}", lambda r: bool(r.json()["last_contacted"])
    )
    sent = NOON + timedelta(days=30.5)
    assert client.json()["last_contacted"] == sent.isoformat(timespec="milliseconds").replace(
        "+00:00", "Z"
    )


@pytest.mark.parametrize("path", ["/api/clients", "/api/tasks", "/api/emails"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", 0), ("limit", 101), ("limit", "x"), ("page", 0), ("page", -1), ("page", 10**9)],
)
async def test_pages_have_their_limits(api: Api, path: str, name: str, value: Any) -> None:
    problem(await api.http.get(path, params={name: value}), 422, name)
    assert (await api.http.get(path, params={"limit": 100, "page": 1})).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("clients?stage=castle", "stage"),
        ("clients?stage=lead&stage=castle", "stage"),
        (f"clients?q={'x' * 201}", "q"),
        ("clients?q=a%00b", "q"),
        ("tasks?status=done", "status"),
        ("tasks?client_id=7", "client_id"),
        ("tasks?due_before=soon", "due_before"),
        ("tasks?due_before=0001-01-01T00:00:00%2B14:00", "due_before"),
        ("tasks?due_before=2026-02-07T12:00:00", "due_before"),
        ("tasks?priority=urgent", "priority"),
        ("tasks?due_after=2026-02-07T12:00:00", "due_after"),
        ("tasks?q=a%00b", "q"),
        ("admin/tasks?q=ana", "q"),
        ("admin/emails?q=ana", "q"),
        ("emails?created_before=soon", "created_before"),
        ("emails?created_after=2026-02-07T12:00:00", "created_after"),
        ("clients?property_type=castle", "property_type"),
        ("clients?email_status=opened", "email_status"),
        ("clients/counts?plan_paused=perhaps", "plan_paused"),
        ("emails?status=pending", "status"),
        *(
            ("clients?sort=email", "sort"),
            ("tasks?sort=status", "sort"),
            ("emails?sort=-x", "sort"),
        ),
    ],
)
async def test_a_wrong_filter_is_named(api: Api, query: str, field: str) -> None:
    problem(await api.http.get(f"/api/{query}"), 422, field)


@pytest.fixture(scope="module")
async def kinds(api: Api, mongodb_server: Server) -> AsyncIterator[str]:
    """A word that five clients have, who differ in what lists are filtered by."""
    word = f"w{uuid4().hex[:10]}"
    differing: list[dict[str, Any]] = [
        {"stage": "lead", "property_type": "land"},
        {"stage": "lead", "property_type": "commercial", "plan_paused": True},
        {"stage": "lead", "property_type": "land", "email_status": "unsubscribed"},
        {"stage": "closed", "property_type": "land", "email_status": "bounced"},
        {"stage": "lost", "property_type": "other"},
    ]
    async with connect(mongodb_server.address) as client:
        clients = client["realtoros_gateway"]["clients"]
        [one] = await clients.find({"_id": UUID(await api.add())}).to_list()
        bare = {key: value for key, value in one.items() if key != "plan_paused"}
        rows = [
            bare | {"_id": uuid4(), "name": f"{word} {n}", "search": [word, f"n{n}"]} | fields
            for n, fields in enumerate(differing)
        ]
        await clients.insert_many(rows)
        yield word
        await clients.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "01234"),
        ("&property_type=land", "023"),
        ("&property_type=land&property_type=other", "0234"),
        ("&plan_paused=true", "1"),
        ("&plan_paused=false", "0234"),
        ("&email_status=unsubscribed", "2"),
        ("&email_status=unsubscribed&email_status=bounced", "23"),
        ("&stage=lead&property_type=land&email_status=unsubscribed", "2"),
        ("&stage=lost&plan_paused=true", ""),
    ],
)
@pytest.mark.parametrize("q", ["{word}", "{word} n", ""])
@pytest.mark.parametrize("sort", ["created_at", "name", "-last_contacted"])
async def test_clients_are_filtered_and_counted_alike(
    api: Api, kinds: str, q: str, query: str, names: str, sort: str
) -> None:
    path = f"/api/clients?limit=100&sort={sort}&q={q.format(word=kinds)}{query}"
    found = [row async for row in followed(api, path)]
    assert len(found) == total(await api.http.get(path))
    of_these = sorted(row["name"] for row in found if row["name"].startswith(kinds))
    assert of_these == [f"{kinds} {number}" for number in names]
    without_stage = re.sub("&stage=[^&]*", "", query)
    counted = await api.http.get(f"/api/clients/counts?q={q.format(word=kinds)}{without_stage}")
    counts = counted.json()
    assert counts["total"] == sum(counts["by_stage"].values())
    if without_stage == query:
        stages = [row["stage"] for row in found]
        assert counts["by_stage"] == {stage: stages.count(stage) for stage in counts["by_stage"]}


async def test_followups_and_emails_are_found_by_their_client(api: Api) -> None:
    word = f"w{uuid4().hex[:10]}"
    found, other = await api.add(name=f"Ana {word}"), await api.add(name="Ana Other")
    stories = [Story(AGENT, UUID(client)) for client in (found, other)]
    for story in stories:
        await api.publish(story.planned(), story.due(0, 1), story.requested(0, 1))
        await api.publish(story.composed(0, 1.1), story.queued(0, 1.1))
        await api.get_until(f"/api/emails?client_id={story.client}", lambda r: len(r.json()) == 1)
    tasks = (await api.http.get("/api/tasks", params={"q": f"ana {word}"})).json()
    assert {task["client_id"] for task in tasks} == {found}
    assert {task["client_name"] for task in tasks} == {f"Ana {word}"}
    [email] = (await api.http.get("/api/emails", params={"q": word})).json()
    assert (email["client_id"], email["client_name"]) == (found, f"Ana {word}")
    assert "body" not in email
    for q, client, count in ((word, other, 0), (word, found, 1), ("nobody-has-this", found, 0)):
        query = {"q": q, "client_id": client}
        assert total(await api.http.get("/api/emails", params=query)) == count
    created = email["created_at"]
    for query, count in (({"created_after": created}, 1), ({"created_before": created}, 0)):
        assert total(await api.http.get("/api/emails", params={"q": word} | query)) == count


async def test_a_search_for_followups_of_too_many_clients_is_refused(
    api: Api, thousands: tuple[str, set[str]]
) -> None:
    problem(await api.http.get("/api/tasks", params={"q": thousands[0]}), 422, "q")
    assert total(await api.http.get("/api/tasks", params={"q": f"{thousands[0]}17"})) == 0


async def test_counts_by_stage_are_those_of_the_list(
    api: Api, thousands: tuple[str, set[str]]
) -> None:
    every = (await api.http.get("/api/clients/counts")).json()
    for stage, count in every["by_stage"].items():
        assert total(await api.http.get(f"/api/clients?stage={stage}&limit=1")) == count
    searched = (await api.http.get("/api/clients/counts", params={"q": thousands[0]})).json()
    assert searched["total"] == 5_000
