"""What forbids a call to the provider, as it is in the store when SendStarted is in the log."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from chassis.domain.errors import CallFailed
from chassis.domain.state import Given
from chassis.mongo.batch_loader import BatchLoader
from chassis.mongo.client import Raw
from chassis.service import Service
from contracts.addresses import canonical_address
from contracts.mailer import SENDING_ID, EmailEvent, suppression_ids
from services.mailer.documents import (
    CLIENTS,
    SUPPRESSIONS,
    SWITCHES,
    ClientDocument,
    InactiveAgentDocument,
    SuppressionDocument,
    SwitchDocument,
)
from services.mailer.email import Email
from services.mailer.sending.before_call import (
    REASSIGNED,
    address_anew,
    queue_again,
    withdraw,
    withhold,
)
from services.mailer.sending.recipients import RECIPIENTS, RecipientDocument
from services.mailer.settings import MailerSettings
from services.mailer.suppression import OPT_OUTS

Decision = Callable[[Email, Given], Sequence[EmailEvent]]


@dataclass(frozen=True)
class Objections:
    """Where it is read what forbids a call."""

    clients: BatchLoader[ClientDocument]
    recipients: BatchLoader[RecipientDocument]
    suppressions: BatchLoader[SuppressionDocument]
    inactive: BatchLoader[InactiveAgentDocument]
    switches: BatchLoader[SwitchDocument]
    opt_outs: AsyncCollection[Raw] | None = None
    """The suppressions, where an opt-out told to one agent counts for all."""

    @classmethod
    def of(
        cls,
        service: Service,
        settings: MailerSettings,
        inactive: BatchLoader[InactiveAgentDocument],
    ) -> "Objections":
        """Return those of a service; `inactive` may be as old as work may go on."""
        suppressions = service.database[SUPPRESSIONS.collection]
        return cls(
            service.loader(CLIENTS),
            service.loader(RECIPIENTS),
            service.loader(SUPPRESSIONS),
            inactive,
            service.loader(SWITCHES),
            suppressions if settings.suppress_across_agents else None,
        )

    async def to(self, started: Email) -> Decision | None:
        """Return the decision that ends the attempt before the call; None when it may be made.

        Raises CallFailed when the store is away.
        """
        try:
            client, recipient, suppressed, held = await asyncio.gather(
                self.clients.get(started.client_id),
                self.recipients.get(started.client_id),
                self._is_suppressed(started),
                self._is_held(started.agent_id),
            )
        except PyMongoError as error:
            raise CallFailed("whether the email may be sent could not be read") from error
        if client and client.deleted_at:
            return partial(withhold, reason="client_deleted")
        if is_of_former_agent(started, client):
            return partial(withdraw, reason=REASSIGNED)
        if recipient and (email := recipient.moved_from(started.personal.to_email)):
            # Before suppressions: the client may have another address since the old one bounced.
            return partial(address_anew, to_email=email, to_name=recipient.name)
        if suppressed:
            return partial(withhold, reason="address_suppressed")
        if recipient and (reason := recipient.objection(started.followup_id, started.approved_at)):
            return partial(withdraw, reason=reason)
        return queue_again if held else None

    async def _is_held(self, agent_id: UUID) -> bool:
        """Return whether emails of the agent, or all, wait."""
        agent, switch = await asyncio.gather(
            self.inactive.get(agent_id), self.switches.get(SENDING_ID)
        )
        return is_deactivated(agent) or is_paused(switch)

    async def _is_suppressed(self, started: Email) -> bool:
        """Return whether the client's agent, or one before, must not write to the address.

        Or nobody must, where an opt-out told to one agent counts for all.
        """
        address = started.personal.to_email
        agents = dict.fromkeys((started.agent_id, *(started.former_agents or ())))
        ids = (id_ for agent in agents for id_ in suppression_ids(agent, address))
        # They are read in one query.
        found = await asyncio.gather(*map(self.suppressions.get, ids))
        if any(known and known.state.withholds(address) for known in found):
            return True
        if self.opt_outs is None:
            return False
        told_to_any = {
            "state.canonical": canonical_address(address),
            "state.reason": {"$in": list(OPT_OUTS)},
        }
        return await self.opt_outs.find_one(told_to_any, {"_id": 1}) is not None


def is_of_former_agent(waiting: Email, client: ClientDocument | None) -> bool:
    """Return whether the client belongs to another agent now than the email's."""
    return client is not None and client.agent_id not in (None, waiting.agent_id)


def is_deactivated(agent: InactiveAgentDocument | None) -> bool:
    """Return whether the agent's emails wait."""
    return agent is not None and agent.deactivated_at is not None


def is_paused(switch: SwitchDocument | None) -> bool:
    """Return whether all emails wait."""
    return switch is not None and switch.state.status != "active"
