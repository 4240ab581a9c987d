"""What the routes stand on, and how they find what the calling agent asks for."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import litestar
from litestar import Request
from litestar.exceptions import NotFoundException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from pydantic import BaseModel

from chassis.mongo.client import Database, Raw
from chassis.process.health import Health
from chassis.projections.views import Views
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.api_keys import ApiKeys
from services.gateway.accounts.authentication import ADMIN_ONLY, Authentication
from services.gateway.accounts.caller import Caller
from services.gateway.commands.client import CommandClient
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.http.problem_details import TITLES, Problem
from services.gateway.live.feed import Feed
from services.gateway.settings import GatewaySettings

Several = Parameter(description="may be given several times")
ApiRequest = Request[Caller, Any, Any]


def responses_of(*statuses: int) -> dict[int, ResponseSpec]:
    """Describe the problems that a route answers with."""
    return {
        status: ResponseSpec(
            Problem,
            description=TITLES[status],
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status in statuses
    }


_READ = responses_of(401, 403, 404, 422, 429, 503)
WRITTEN = _READ | responses_of(409, 412, 413)
# Without and with a tag of what is read.
get = partial(litestar.get, responses=_READ)
get_tagged = partial(litestar.get, responses=_READ | {304: ResponseSpec(None)})
post = partial(litestar.post, responses=WRITTEN)
patch = partial(litestar.patch, responses=WRITTEN)
delete = partial(litestar.delete, responses=WRITTEN)


@dataclass(frozen=True, slots=True)
class ApiContext:
    """What the routes stand on.

    Kept in the application's state and not injected by name: Litestar would answer a body that has
    a field of an injected name with 500.
    """

    settings: GatewaySettings
    commands: CommandClient
    views: Views
    database: Database
    checks: Health
    webhook: SendGridWebhook | None
    accounts: Accounts
    keys: ApiKeys
    gate: Authentication
    feed: Feed


def context_of(request: ApiRequest) -> ApiContext:
    """Give what the routes of this application stand on."""
    api: ApiContext = request.app.state.api
    return api


def visible_to_caller(request: ApiRequest) -> Raw:
    """Give what limits a query to what the caller may see: his own, on admin routes everybody's."""
    return {} if ADMIN_ONLY in request.route_handler.opt else {"agent_id": request.user.agent_id}


def projection_of(model: type[BaseModel]) -> dict[str, int]:
    """Ask the store for just the fields that the model shows."""
    return {(field.alias or name): 1 for name, field in model.model_fields.items()}


async def find_visible(request: ApiRequest, collection: str, where: Raw, model: type[Any]) -> Any:
    """Give the one document within reach as the model. Raises NotFoundException."""
    found = context_of(request).database[collection]
    row = await found.find_one(visible_to_caller(request) | where, projection_of(model))
    if row is None:
        raise NotFoundException("there is no such thing here")
    return model.model_validate(row)
