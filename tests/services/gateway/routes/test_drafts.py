"""Approving several drafts at once; one that cannot be approved keeps none of the others."""

from uuid import uuid4

from tests.services.gateway.client_events import Story
from tests.services.gateway.conftest import Api
from tests.services.gateway.problem_checks import problem
from tests.system import AGENT


async def test_one_without_a_client_or_without_a_draft_keeps_none_of_the_others(api: Api) -> None:
    kept, deleted = Story(AGENT, await api.add()), Story(AGENT, uuid4())
    for story in (kept, deleted):
        await api.publish(story.planned(), story.due(0, 1))
        await api.publish(story.requested(0, 1), story.written(0, 1))
        path = f"/api/tasks/{story.ids[0]}/draft"
        await api.get_until(path, lambda r: r.status_code == 200)
    unknown = str(uuid4())
    wanted = [str(kept.ids[0]), str(deleted.ids[0]), unknown]
    body = {"drafts": [{"task_id": id_, "version": 2} for id_ in wanted]}
    answer = await api.http.post("/api/drafts/approve", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    outcomes = {draft["task_id"]: draft["outcome"] for draft in answer.json()["drafts"]}
    # Composer, which would answer, does not run.
    assert outcomes == dict(zip(wanted, ("pending", "refused", "refused"), strict=True))
    alone = await api.http.post(f"/api/tasks/{deleted.ids[0]}/draft", json={})
    problem(alone, 404)
