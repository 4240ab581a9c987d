"""Which command changes which aggregate, and by which decision."""

from collections.abc import Mapping
from operator import attrgetter

from chassis.inbox.reactor import Reaction
from contracts import crm, sequences
from contracts.message import Command
from services.crm import agent, client, sequence
from services.crm.documents import AGENTS, CLIENTS, SEQUENCES

of_agent = attrgetter("agent_id")
of_client = attrgetter("client_id")
of_sequence = attrgetter("sequence_id")

BY_COMMAND: Mapping[type[Command], Reaction] = {
    crm.RegisterAgent: Reaction(AGENTS, of_agent, agent.register),
    crm.UpdateAgent: Reaction(AGENTS, of_agent, agent.update),
    crm.DeactivateAgent: Reaction(AGENTS, of_agent, agent.deactivate),
    crm.ReactivateAgent: Reaction(AGENTS, of_agent, agent.reactivate),
    crm.CreateClient: Reaction(CLIENTS, of_client, client.create),
    crm.UpdateClient: Reaction(CLIENTS, of_client, client.update),
    crm.ReassignClient: Reaction(CLIENTS, of_client, client.reassign),
    crm.DeleteClient: Reaction(CLIENTS, of_client, client.delete),
    sequences.DefineSequence: Reaction(SEQUENCES, of_sequence, sequence.define),
    sequences.RetireSequence: Reaction(SEQUENCES, of_sequence, sequence.retire),
}
