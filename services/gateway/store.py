"""All that gateway keeps in its database."""

from chassis.store import Store
from services.gateway.documents import CommandDocument
from services.gateway.timeline import TIMELINE
from services.gateway.views import CLIENTS, EMAIL_LOGS, TASKS

STORE = Store(views=(CLIENTS, TASKS, EMAIL_LOGS), journals=(TIMELINE,), others=(CommandDocument,))
