"""All collections of the gateway's database."""

from chassis.recovery.persistence import Store
from services.gateway.accounts.documents import (
    AccountDocument,
    ApiKeyDocument,
    AttemptsDocument,
    IdempotencyDocument,
    KnownNetworkDocument,
    SessionDocument,
)
from services.gateway.accounts.links.documents import LinkRequestDocument, LoginLinkDocument
from services.gateway.commands.daily_quota import DailyUseDocument
from services.gateway.read_models.documents import CommandDocument
from services.gateway.read_models.email_log import EMAIL_LOGS
from services.gateway.read_models.projections import AGENTS, CLIENTS, SEQUENCES
from services.gateway.read_models.sending import SENDING
from services.gateway.read_models.suppressions import SUPPRESSIONS
from services.gateway.read_models.tasks import TASKS
from services.gateway.read_models.timeline import TIMELINE
from services.gateway.read_models.tokens import TOKENS

STORE = Store(
    views=(AGENTS, CLIENTS, TASKS, EMAIL_LOGS, SUPPRESSIONS, SENDING, SEQUENCES, TOKENS),
    journals=(TIMELINE,),
    others=(
        AccountDocument,
        ApiKeyDocument,
        AttemptsDocument,
        CommandDocument,
        DailyUseDocument,
        IdempotencyDocument,
        KnownNetworkDocument,
        LinkRequestDocument,
        LoginLinkDocument,
        SessionDocument,
    ),
)
