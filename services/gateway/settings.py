"""Settings of gateway."""

from uuid import UUID

from pydantic import Field

from chassis.settings import Settings, Text
from contracts.crm import AgentProfile


class GatewaySettings(Settings):
    """Until agents can log in, one built-in agent owns everything."""

    gateway_port: int = Field(default=8000, ge=0, le=65535)
    command_timeout_seconds: float = Field(default=5, gt=0)
    max_body_bytes: int = Field(default=65_536, gt=0)
    # SendGrid's verification key; without it no report is taken in.
    sendgrid_webhook_public_key: Text = None
    agent_id: UUID = UUID("7b1f0c1e-5d3a-4c55-9a51-1f2f3c0a9d01")
    agent_name: str = "Alex Morgan"
    agent_email: str = "agent@realtoros.example"
    agent_company: str | None = None
    agent_phone: str | None = None

    @property
    def listen_port(self) -> int:
        return self.gateway_port

    @property
    def agent(self) -> AgentProfile:
        """The profile of the built-in agent."""
        return AgentProfile(
            name=self.agent_name,
            email=self.agent_email,
            company=self.agent_company,
            phone=self.agent_phone,
        )
