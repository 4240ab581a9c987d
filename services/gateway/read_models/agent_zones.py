"""The time zone of an agent, in whose days plans count where a client has none."""

from uuid import UUID

from chassis.mongo.client import Database
from services.gateway.read_models.documents import AgentDocument


async def agent_time_zone(database: Database, agent_id: UUID) -> str | None:
    """Return the IANA name, or None before crm has published the agent."""
    agents = database[AgentDocument.Settings.name]
    found = await agents.find_one({"_id": agent_id}, {"personal.time_zone": 1})
    return found["personal"]["time_zone"] if found else None
