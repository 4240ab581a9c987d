"""How many tokens the letters of an agent, or of all, have used."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from chassis.mongo.client import Database, Raw
from services.gateway.read_models.tokens import TokensDocument

_Count = Annotated[int, Field(ge=0)]
# On the index: a query without a condition reads the documents.
_ANY_AGENT = {"agent_id": {"$gte": UUID(int=0)}}
_SUMS = {"prompt": {"$sum": "$prompt"}, "completion": {"$sum": "$completion"}}
# An admin sees the agents that have used most.
_MOST_AGENTS = 100


class TokenCounts(BaseModel):
    """Tokens of all letters so far: what the model was given, what it wrote."""

    prompt: _Count = 0
    completion: _Count = 0


class AgentTokens(TokenCounts):
    """Tokens of all letters in an agent's name."""

    agent_id: UUID


class AllTokens(TokenCounts):
    """Tokens of all letters, and of the agents that have used most."""

    agents: list[AgentTokens]


async def tokens_of(database: Database, where: Raw) -> TokenCounts:
    """Return the tokens of the documents that match, from an index alone."""
    found = await _grouped(database, where, None)
    return TokenCounts.model_validate(found[0] if found else {})


async def tokens_by_agent(database: Database) -> AllTokens:
    """Return the tokens of all agents, those first that have used most."""
    found = await _grouped(database, _ANY_AGENT, "$agent_id")
    agents = [AgentTokens.model_validate(row | {"agent_id": row["_id"]}) for row in found]
    agents.sort(key=lambda one: one.prompt + one.completion, reverse=True)
    return AllTokens(
        prompt=sum(one.prompt for one in agents),
        completion=sum(one.completion for one in agents),
        agents=agents[:_MOST_AGENTS],
    )


async def _grouped(database: Database, where: Raw, by: str | None) -> list[Raw]:
    steps = [{"$match": where}, {"$group": {"_id": by, **_SUMS}}]
    documents = database[TokensDocument.Settings.name]
    return await (await documents.aggregate(steps)).to_list()
