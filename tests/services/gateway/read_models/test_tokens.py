"""The read model of tokens: what each letter has used, once, under whoever's name it was."""

from uuid import UUID, uuid4

from chassis.mongo.client import Database
from chassis.projections.views import Views
from contracts.cloudevents import EventEnvelope
from contracts.composer import EmailComposed, TokensUsed
from services.gateway.read_models.token_counts import TokenCounts, tokens_by_agent, tokens_of
from services.gateway.read_models.tokens import TOKENS
from tests.services.gateway.client_events import NOON, Story

ADA, BEN = uuid4(), uuid4()


def composed(
    agent: UUID, prompt: int | None, version: int = 1, story: Story | None = None
) -> tuple[EventEnvelope, EmailComposed]:
    story = story or Story(agent, uuid4())
    used = TokensUsed(prompt=prompt, completion=prompt // 10) if prompt else None
    event = story.composed(0, 1).model_copy(update={"tokens": used})
    envelope = EventEnvelope(
        id=uuid4(),
        source="composer",
        type=event.wire_name,
        subject=event.stream,
        time=NOON,
        correlation=uuid4(),
        cause=uuid4(),
        version=version,
    )
    return envelope, event


async def test_every_letter_counts_once_however_often_it_is_read(empty_views: Database) -> None:
    views = Views(empty_views, [TOKENS])
    letters = [composed(ADA, 1_000) for _ in range(30)]
    await views.apply(letters[:20])
    await views.apply(letters)
    await views.apply([composed(BEN, 500), composed(BEN, None)])
    assert await tokens_of(empty_views, {"agent_id": ADA}) == TokenCounts(
        prompt=30_000, completion=3_000
    )
    everybody = await tokens_by_agent(empty_views)
    assert (everybody.prompt, everybody.completion) == (30_500, 3_050)
    assert [(one.agent_id, one.prompt) for one in everybody.agents] == [(ADA, 30_000), (BEN, 500)]


async def test_what_is_written_again_counts_again(empty_views: Database) -> None:
    story = Story(ADA, uuid4())
    first, again = composed(ADA, 1_000, 1, story), composed(ADA, 700, 2, story)
    await Views(empty_views, [TOKENS]).apply([first, again])
    assert (await tokens_of(empty_views, {"agent_id": ADA})).prompt == 1_700


async def test_letters_of_templates_are_not_counted_nor_stored(empty_views: Database) -> None:
    await Views(empty_views, [TOKENS]).apply([composed(ADA, None)])
    assert await tokens_of(empty_views, {"agent_id": ADA}) == TokenCounts()
    assert await empty_views["tokens"].count_documents({}) == 0


async def test_sums_are_read_from_the_index_alone(empty_views: Database) -> None:
    await Views(empty_views, [TOKENS]).apply([composed(ADA, 1_000) for _ in range(30)])
    for where in ({"agent_id": ADA}, {"agent_id": {"$gte": UUID(int=0)}}):
        group = {"_id": "$agent_id", "prompt": {"$sum": "$prompt"}}
        steps = [{"$match": where}, {"$group": group}]
        plan = await empty_views.command(
            "explain",
            {"aggregate": "tokens", "pipeline": steps, "cursor": {}},
            verbosity="executionStats",
            codec_options=empty_views.codec_options,
        )
        assert '"totalDocsExamined": 0' in str(plan).replace("'", '"')
