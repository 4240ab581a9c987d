"""What the routes stand on, and how they find what the calling agent asks for."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

from chassis.health import Health
from chassis.mongo import Database, Raw
from services.gateway.caller import Caller
from services.gateway.commands import Commands
from services.gateway.feed import Feed
from services.gateway.paging import projection_of
from services.gateway.webhooks import SendGridWebhook

Several = Parameter(description="may be given several times")
Asked = Request[Caller, Any, Any]


async def always(caller: Caller) -> bool:
    """Let everyone stay in."""
    return True


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes stand on.

    Kept in the application's state and not injected by name: Litestar would answer a body that has
    a field of an injected name with 500.
    """

    commands: Commands
    database: Database
    checks: Health
    webhook: SendGridWebhook | None
    feed: Feed
    # Whether a caller who was let in still would be; asked again and again while a stream is open.
    is_valid: Callable[[Caller], Coroutine[Any, Any, bool]] = always


def api_of(request: Asked) -> Api:
    """Give what the routes of this application stand on."""
    api: Api = request.app.state.api
    return api


async def found_by(request: Asked, collection: str, where: Raw, model: type[Any]) -> Any:
    """Give the agent's one document as the model. Raises NotFoundException."""
    api = api_of(request)
    where = {"agent_id": request.user.agent_id} | where
    row = await api.database[collection].find_one(where, projection_of(model))
    if row is None:
        raise NotFoundException("there is no such thing here")
    return model.model_validate(row)
