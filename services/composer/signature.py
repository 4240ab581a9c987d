"""The end of a letter: the agent's own signature, or one made of the profile."""

from chassis.domain.plain_text import paragraphs, single_line
from contracts.crm import AgentProfile


def signed(body: str, agent: AgentProfile) -> str:
    """Return the body with the agent's signature below it."""
    return f"{body}\n\n{paragraphs(agent.signature or '') or _from_profile(agent)}"


def _from_profile(agent: AgentProfile) -> str:
    role = filter(None, (single_line(text or "") for text in (agent.title, agent.company)))
    phone = single_line(agent.phone or "")
    lines = ("Best regards,", single_line(agent.name), ", ".join(role), phone)
    return "\n".join(filter(None, lines))
