"""All that mailer keeps in its database."""

from chassis.store import Store
from services.mailer.documents import ALERTS, DELETED_CLIENTS, EMAILS, SUPPRESSIONS

STORE = Store(aggregates=(EMAILS, SUPPRESSIONS, ALERTS), views=(DELETED_CLIENTS,))
