"""What the routes use: decorators, the application's services, and reads limited to the caller."""

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
from contracts.links.opt_out import OptOutTokens
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.activation import Activation
from services.gateway.accounts.api_keys import ApiKeys
from services.gateway.accounts.authentication import Authentication
from services.gateway.accounts.caller import Caller
from services.gateway.accounts.links.account_links import AccountLinks
from services.gateway.accounts.links.login_links import LoginLinks
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.rate_limits import TokenBuckets
from services.gateway.accounts.second_factor import SecondFactors
from services.gateway.accounts.sessions import Sessions
from services.gateway.commands.client import CommandClient
from services.gateway.commands.daily_quota import DailyQuota
from services.gateway.commands.imports.client_import import ClientImports
from services.gateway.commands.inbound.inbound_mail import InboundMail
from services.gateway.commands.opt_outs import OptOuts
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.http.problem_details import NOT_FOUND, Problem
from services.gateway.http.problem_types import BY_STATUS
from services.gateway.live.feed import Feed
from services.gateway.markers import ADMIN_ONLY
from services.gateway.settings import GatewaySettings

Several = Parameter(description="may be given several times")
ApiRequest = Request[Caller, Any, Any]


def responses_of(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the OpenAPI responses of a route's problems."""
    return {
        status: ResponseSpec(
            Problem,
            description=BY_STATUS[status].title,
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status in statuses
    }


_READ = responses_of(401, 403, 404, 422, 429, 503)
WRITTEN = _READ | responses_of(409, 412, 413)
# Without and with an ETag.
get = partial(litestar.get, responses=_READ)
get_tagged = partial(litestar.get, responses=_READ | {304: ResponseSpec(None)})
post = partial(litestar.post, responses=WRITTEN)
patch = partial(litestar.patch, responses=WRITTEN)
put = partial(litestar.put, responses=WRITTEN)
delete = partial(litestar.delete, responses=WRITTEN)


@dataclass(frozen=True, slots=True)
class ApiContext:
    """The services that routes use.

    In the application's state and not injected by name: Litestar would answer a body that has a
    field of an injected name with 500.
    """

    settings: GatewaySettings
    commands: CommandClient
    views: Views
    database: Database
    health: Health
    webhook: SendGridWebhook | None
    inbound: InboundMail | None
    webhook_rates: TokenBuckets
    opt_outs: OptOuts
    opt_out_tokens: OptOutTokens
    accounts: Accounts
    sessions: Sessions
    second_factors: SecondFactors
    limits: LoginLimits
    activation: Activation
    keys: ApiKeys
    authentication: Authentication
    feed: Feed
    imports: ClientImports
    quota: DailyQuota
    links: AccountLinks
    login_links: LoginLinks


def context_of(request: ApiRequest) -> ApiContext:
    """Return the services of the request's application."""
    api: ApiContext = request.app.state.api
    return api


def visible_to_caller(request: ApiRequest) -> Raw:
    """Return a query's condition for what the caller may see: on admin routes, all agents' data."""
    return {} if ADMIN_ONLY in request.route_handler.opt else {"agent_id": request.user.agent_id}


def projection_of(model: type[BaseModel]) -> dict[str, int]:
    """Return the MongoDB projection of just the fields that the model has."""
    return {(field.alias or name): 1 for name, field in model.model_fields.items()}


async def find_visible(request: ApiRequest, collection: str, where: Raw, model: type[Any]) -> Any:
    """Return the document that matches and the caller may see. Raises NotFoundException."""
    documents = context_of(request).database[collection]
    row = await documents.find_one(visible_to_caller(request) | where, projection_of(model))
    if row is None:
        raise NotFoundException(NOT_FOUND)
    return model.model_validate(row)
