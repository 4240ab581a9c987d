"""All that crm keeps in its database."""

from chassis.store import Store
from services.crm.documents import AGENTS, CLIENTS

STORE = Store(aggregates=(AGENTS, CLIENTS))
