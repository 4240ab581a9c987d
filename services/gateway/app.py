"""The Litestar application around the service."""

import contextlib
from collections.abc import AsyncIterator

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.plugins.pydantic import PydanticPlugin

from chassis.service import Service
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.api_keys import ApiKeys
from services.gateway.accounts.authentication import Authentication
from services.gateway.accounts.rate_limits import TokenBuckets
from services.gateway.commands.client import CommandClient
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.http import headers
from services.gateway.http import problem_details as problems
from services.gateway.http.context import ApiContext
from services.gateway.http.idempotency import IdempotencyMiddleware
from services.gateway.http.openapi import described
from services.gateway.live.feed import Feed
from services.gateway.routes import admin as admin_routes
from services.gateway.routes import agents as agent_routes
from services.gateway.routes import auth as account_routes
from services.gateway.routes import client_files
from services.gateway.routes import clients as client_routes
from services.gateway.routes import dashboard as dashboard_routes
from services.gateway.routes import followups as followup_routes
from services.gateway.routes import live as live_routes
from services.gateway.routes import system as system_routes
from services.gateway.routes import timeline as timeline_routes
from services.gateway.settings import GatewaySettings


def application(service: Service, settings: GatewaySettings) -> Litestar:
    """Serve the API while the service runs."""
    database = service.database
    commands = CommandClient(settings, database, service.views)
    key = settings.sendgrid_webhook_public_key
    accounts, keys = Accounts(settings, database, commands), ApiKeys(database)
    gate = Authentication(accounts, keys, TokenBuckets(settings.requests_per_second))
    feed = Feed(database)
    api = ApiContext(
        settings=settings,
        commands=commands,
        views=service.views,
        database=database,
        checks=service.health,
        webhook=SendGridWebhook(key, commands) if key else None,
        accounts=accounts,
        keys=keys,
        gate=gate,
        feed=feed,
    )

    @contextlib.asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with service.running() as producer, commands.running(producer), feed.running():
            yield

    return Litestar(
        route_handlers=[
            account_routes.Auth,
            agent_routes.Me,
            agent_routes.Keys,
            client_routes.Clients,
            client_files.ClientFiles,
            dashboard_routes.stats,
            followup_routes.Tasks,
            followup_routes.Emails,
            timeline_routes.client_timeline,
            timeline_routes.activity,
            live_routes.events,
            live_routes.ws,
            admin_routes.AllTasks,
            admin_routes.AllEmails,
            admin_routes.Agents,
            admin_routes.command_status,
            admin_routes.quarantine,
            system_routes.command_status,
            system_routes.sendgrid_webhook,
            system_routes.health,
            system_routes.metrics,
        ],
        state=State({"api": api}),
        lifespan=[running],
        exception_handlers=problems.HANDLERS,
        middleware=[problems.answered_when_stopped, gate, IdempotencyMiddleware(database)],
        before_send=[headers.hardened(settings.public_url)],
        cors_config=CORSConfig(
            allow_origins=settings.origins,
            allow_headers=headers.ASKED,
            expose_headers=headers.ANSWERED,
            max_age=600,
        ),
        request_max_body_size=settings.max_body_bytes,
        openapi_config=described(),
        plugins=[PydanticPlugin(prefer_alias=True)],
        logging_config=None,
    )
