"""Which command changes which aggregate, and by which decision."""

from operator import attrgetter

from chassis.inbox.reactor import Reaction
from services.crm import agent, client, sequence
from services.crm.documents import AGENTS, CLIENTS, SEQUENCES

of_agent = attrgetter("agent_id")
of_client = attrgetter("client_id")
of_sequence = attrgetter("sequence_id")

register_agent = Reaction(AGENTS, of_agent, agent.register)
update_agent = Reaction(AGENTS, of_agent, agent.update)
deactivate_agent = Reaction(AGENTS, of_agent, agent.deactivate)
reactivate_agent = Reaction(AGENTS, of_agent, agent.reactivate)
create_client = Reaction(CLIENTS, of_client, client.create)
update_client = Reaction(CLIENTS, of_client, client.update)
reassign_client = Reaction(CLIENTS, of_client, client.reassign)
delete_client = Reaction(CLIENTS, of_client, client.delete)
define_sequence = Reaction(SEQUENCES, of_sequence, sequence.define)
retire_sequence = Reaction(SEQUENCES, of_sequence, sequence.retire)
