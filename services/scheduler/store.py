"""All that scheduler keeps in its database."""

from chassis.store import Store
from services.scheduler.documents import AGENTS, CLIENTS, PLANS

STORE = Store(aggregates=(PLANS,), views=(AGENTS, CLIENTS))
