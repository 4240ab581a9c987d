"""Opt-outs: told to mailer, and acknowledged once nothing more is sent to the address."""

from datetime import datetime
from uuid import UUID

from pymongo.errors import PyMongoError

from chassis.mongo.client import Database
from contracts.mailer import OptOutReason, RecordedAddress, SuppressAddress, suppression_id
from services.gateway.commands.client import CommandClient
from services.gateway.errors import CommandPending
from services.gateway.read_models.suppressions import SuppressionDocument

# The version of SuppressionConfirmed in a stream of 0.1.0: nothing else was in it.
_CONFIRMED_IN_0_1_0 = 2


def opt_out_of(
    agent_id: UUID,
    client_id: UUID,
    email: str,
    *,
    source: str,
    reason: OptOutReason = "unsubscribed",
    reported_at: datetime | None = None,
) -> SuppressAddress:
    """Return the command that records a client's opt-out; see AddressSuppressed for `source`."""
    return SuppressAddress(
        agent_id=agent_id,
        suppression_id=suppression_id(agent_id, email),
        reason=reason,
        source=source,
        reported_client=client_id,
        reported_at=reported_at,
        personal=RecordedAddress(email=email),
    )


class OptOuts:
    """Tells mailer, and waits as long as for any command. One per gateway process."""

    def __init__(self, commands: CommandClient, database: Database) -> None:
        self._commands = commands
        self._suppressions = database[SuppressionDocument.Settings.name]

    async def suppress(self, command: SuppressAddress, command_id: UUID) -> bool:
        """Return whether it is confirmed that nothing more is sent to the address.

        False: the opt-out is durable, and will be. Raises Unavailable when it is not durable,
        Rejected.
        """
        try:
            reply = await self._commands.execute(command, command_id)
            if await self._is_confirmed(command, reply.version):
                return True
            await self._commands.store_accepted(command, command_id, reply)
        except (CommandPending, PyMongoError):
            """Kafka has it."""
        return False

    async def _is_confirmed(self, command: SuppressAddress, version: int) -> bool:
        """Wait until the suppression, which the views have at the version, is confirmed.

        One that the client's own resubscription has overtaken needs no confirmation.
        """
        where = {"_id": command.suppression_id}
        deadline = self._commands.deadline()
        while True:
            found = await self._suppressions.find_one(where, {"reason": 1, "confirmed_at": 1})
            if found is None:
                # The view is younger than the suppression.
                version = min(version, _CONFIRMED_IN_0_1_0 - 1)
            elif "reason" not in found or "confirmed_at" in found:
                return True
            version += 1
            if not await self._commands.wait_until_applied(command.stream, version, deadline):
                return False
            if found is None:
                return True
