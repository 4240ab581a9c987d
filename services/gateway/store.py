"""All that gateway keeps in its database."""

from chassis.store import Store
from services.gateway.account_documents import (
    AccountDocument,
    ApiKeyDocument,
    AttemptsDocument,
    IdempotencyDocument,
    SessionDocument,
)
from services.gateway.documents import CommandDocument
from services.gateway.timeline import TIMELINE
from services.gateway.views import AGENTS, CLIENTS, EMAIL_LOGS, TASKS

STORE = Store(
    views=(AGENTS, CLIENTS, TASKS, EMAIL_LOGS),
    journals=(TIMELINE,),
    others=(
        AccountDocument,
        ApiKeyDocument,
        AttemptsDocument,
        CommandDocument,
        IdempotencyDocument,
        SessionDocument,
    ),
)
