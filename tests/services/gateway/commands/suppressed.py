"""Opt-outs that are carried out in memory."""

from uuid import UUID

from contracts.mailer import SuppressAddress
from services.gateway.commands.opt_outs import OptOuts


class Suppressed(OptOuts):
    """Opt-outs that were carried out, and whether they are confirmed in time."""

    def __init__(self) -> None:
        self.commands: list[SuppressAddress] = []
        self.confirmed = True

    async def suppress(self, command: SuppressAddress, command_id: UUID) -> bool:
        """Take the opt-out."""
        self.commands.append(command)
        return self.confirmed
