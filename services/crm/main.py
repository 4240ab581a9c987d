"""crm: agents, their clients and sequences."""

from chassis.process.settings import Settings
from chassis.service import Service
from contracts.crm import (
    CreateClient,
    DeactivateAgent,
    DeleteClient,
    ReactivateAgent,
    ReassignClient,
    RegisterAgent,
    UpdateAgent,
    UpdateClient,
)
from contracts.sequences import DefineSequence, RetireSequence
from services.crm import reactions
from services.crm.documents import STORE


def build(settings: Settings) -> Service:
    """Put the parts together."""
    service = Service("crm", settings, STORE)
    service.react(RegisterAgent, reactions.register_agent)
    service.react(UpdateAgent, reactions.update_agent)
    service.react(DeactivateAgent, reactions.deactivate_agent)
    service.react(ReactivateAgent, reactions.reactivate_agent)
    service.react(CreateClient, reactions.create_client)
    service.react(UpdateClient, reactions.update_client)
    service.react(ReassignClient, reactions.reassign_client)
    service.react(DeleteClient, reactions.delete_client)
    service.react(DefineSequence, reactions.define_sequence)
    service.react(RetireSequence, reactions.retire_sequence)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(Settings.load()).run()


if __name__ == "__main__":
    main()
