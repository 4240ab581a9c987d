"""Letters that are not fit to send, over HTTP: a person sees why, and decides."""

from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.users import person, promote
from tests.system import AGENT

LETTER = {"to_email": "maria@mail.example", "subject": "Hello", "body": "Hi Maria"}
FINDING = {"flag": "placeholder", "excerpt": "[Client Name]"}


async def test_the_letter_is_shown_where_its_follow_up_is_and_in_no_list(api: Api) -> None:
    story = Story(AGENT, await api.add())
    await api.publish(story.planned(), story.due(0, 1), story.requested(0, 1), story.flagged(0, 1))
    path = f"/api/tasks/{story.ids[0]}"
    task = await api.get_until(path, lambda r: r.json().get("status") == "failed")
    assert task.json()["flags"] == ["placeholder"]
    assert task.json()["flagged"] == {
        "letter": LETTER | {"language": None},
        "findings": [FINDING],
    }
    listed = (await api.http.get(f"/api/tasks?client_id={story.client}&status=failed")).json()
    assert [(one["flags"], "flagged" in one) for one in listed] == [(["placeholder"], False)]
    # The ETag of what is shown is that which a change asks for.
    read = {"If-Match": task.headers["etag"]}
    retried = await api.http.post(f"{path}/retry", headers=read)
    assert retried.status_code == 202, retried.text
    async with person(api.http.base_url) as other, person(api.http.base_url) as admin:
        await promote(admin)
        assert (await other.http.get(path)).status_code == 404
        assert (await admin.http.get(path)).status_code == 404
        seen = await admin.http.get(path.replace("/api/", "/api/admin/"))
        assert seen.json()["flagged"]["letter"]["body"] == "Hi Maria"
