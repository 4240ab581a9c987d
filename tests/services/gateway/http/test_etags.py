"""Tags: what is known is not sent again, and what has changed is not overwritten unseen."""

import asyncio

import pytest

from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem


@pytest.mark.parametrize("path", ["/api/clients?q={word}", "/api/clients/{id}"])
async def test_what_is_known_is_not_sent_again_until_it_changes(api: Api, path: str) -> None:
    client = await api.add(name="Zoe Tagged")
    path = path.format(word="zoe", id=client)
    first = await api.http.get(path)
    known = {"If-None-Match": f'"other", {first.headers["etag"]}'}
    again = await api.http.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers.get("x-total-count") == first.headers.get("x-total-count")
    await api.http.patch(f"/api/clients/{client}", json={"notes": path})
    changed = await api.http.get(path, headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", ["/api/tasks?client_id={}", "/api/tasks?status=pending"])
async def test_who_polls_follow_ups_is_sent_them_once(api: Api, story: Story, path: str) -> None:
    path = path.format(story.client)
    first = await api.http.get(path)
    assert first.json()
    known = {"If-None-Match": first.headers["etag"]}
    again = await api.http.get(path, headers=known)
    assert (again.status_code, again.content) == (304, b"")


async def test_a_list_that_grew_beyond_the_page_has_another_tag(api: Api) -> None:
    for _ in range(2):
        await api.add(name="Pat Paged")
    first = await api.http.get("/api/clients?q=paged&page=2&limit=1")
    await api.add(name="Pat Paged")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await api.http.get("/api/clients?q=paged&page=2&limit=1", headers=known)).is_success


async def test_a_change_is_made_only_to_what_was_read(api: Api) -> None:
    path = f"/api/clients/{await api.add()}"
    read = (await api.http.get(path)).headers["etag"]
    changed = await api.http.patch(path, json={"notes": "1"}, headers={"If-Match": read})
    assert changed.status_code == 200
    for answer in (
        await api.http.patch(path, json={"notes": "2"}, headers={"If-Match": read}),
        await api.http.delete(path, headers={"If-Match": read}),
    ):
        problem(answer, 412)
    assert (await api.http.get(path)).json()["notes"] == "1"
    now = changed.headers["etag"]
    assert now == (await api.http.get(path)).headers["etag"]
    assert (await api.http.patch(path, json={"notes": "3"}, headers={"If-Match": "*"})).is_success
    problem(await api.http.delete(path, headers={"If-Match": now}), 412)
    last = (await api.http.get(path)).headers["etag"]
    assert (await api.http.delete(path, headers={"If-Match": f"W/{last}"})).status_code == 204
    problem(await api.http.delete(path, headers={"If-Match": last}), 404)


@pytest.mark.parametrize("what", ["pause", "resume", "cancel"])
async def test_a_plan_is_changed_only_as_it_was_read(api: Api, what: str) -> None:
    path = f"/api/clients/{await api.add()}"
    read = {"If-Match": (await api.http.get(path)).headers["etag"]}
    await api.http.patch(path, json={"notes": "1"})
    problem(await api.http.post(f"{path}/plan/{what}", headers=read), 412)


async def test_a_follow_up_and_its_email_are_settled_only_as_they_were_read(
    api: Api, story: Story
) -> None:
    stale = {"If-Match": '"stale"'}
    email = f"/api/emails/{story.emails[3]}/resolve"
    sent = {"resolution": "sent"}
    problem(await api.http.post(email, json=sent, headers=stale), 412)
    problem(await api.http.post(f"/api/tasks/{story.ids[0]}/cancel", headers=stale), 412)


async def test_of_two_changes_at_the_same_moment_one_is_refused(api: Api) -> None:
    """Both read what the view shows; only the owner can tell that the other came first."""
    for _ in range(5):
        path = f"/api/clients/{await api.add()}"
        headers = {"If-Match": (await api.http.get(path)).headers["etag"]}
        answers = await asyncio.gather(
            *(api.http.patch(path, json={"notes": str(n)}, headers=headers) for n in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
