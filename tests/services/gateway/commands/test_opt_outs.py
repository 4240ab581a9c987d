"""An opt-out that is accepted, but not confirmed in time: whoever waits can ask for it."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.mailer import RecordedAddress, SuppressAddress, suppression_id
from contracts.replies import CommandAccepted
from services.gateway.commands.client import CommandClient
from services.gateway.commands.opt_outs import OptOuts

AGENT = uuid4()
ADDRESS = "maria@mail.example"
COMMAND = SuppressAddress(
    agent_id=AGENT,
    suppression_id=suppression_id(AGENT, ADDRESS),
    reason="unsubscribed",
    source="agent",
    reported_client=uuid4(),
    personal=RecordedAddress(email=ADDRESS),
)


class Accepted(CommandClient):
    """The owner accepts every command at once."""

    def __init__(self) -> None:
        self.stored: list[UUID] = []

    async def execute(self, command: Any, command_id: UUID | None = None) -> CommandAccepted:
        return CommandAccepted(agent_id=AGENT, about=command.stream, version=1)

    async def store_accepted(self, command: Any, command_id: UUID, reply: CommandAccepted) -> None:
        self.stored.append(command_id)


class Confirming(OptOuts):
    """Whether the suppression is confirmed in time is given."""

    def __init__(self, commands: CommandClient, confirmed: bool) -> None:
        self._commands = commands
        self._confirmed = confirmed

    async def _is_confirmed(self, command: SuppressAddress, version: int) -> bool:
        return self._confirmed


@pytest.mark.parametrize("confirmed", [True, False])
async def test_what_is_not_confirmed_in_time_can_be_asked_for(confirmed: bool) -> None:
    commands, id_ = Accepted(), uuid4()
    assert await Confirming(commands, confirmed).suppress(COMMAND, id_) is confirmed
    assert commands.stored == ([] if confirmed else [id_])
