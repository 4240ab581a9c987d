"""The Litestar application around the service."""

import contextlib
from collections.abc import AsyncIterator
from uuid import uuid4

from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.plugins.pydantic import PydanticPlugin
from litestar.types import ASGIApp, Receive, Scope, Send

from chassis.service import Service
from contracts.crm import RegisterAgent
from services.gateway import (
    client_routes,
    followup_routes,
    live_routes,
    problems,
    system_routes,
    timeline_routes,
)
from services.gateway.api import Api
from services.gateway.caller import Caller
from services.gateway.commands import Commands
from services.gateway.feed import Feed
from services.gateway.settings import GatewaySettings
from services.gateway.webhooks import SendGridWebhook


def application(service: Service, settings: GatewaySettings) -> Litestar:
    """Serve the API while the service runs."""
    commands = Commands(settings, service.database, service.views)
    key = settings.sendgrid_webhook_public_key
    webhook = SendGridWebhook(key, commands) if key else None
    feed = Feed(service.database)
    api = Api(commands, service.database, service.health, webhook, feed)

    def known(app: ASGIApp) -> ASGIApp:
        """Let every request come on behalf of the built-in agent."""

        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            scope["user"] = Caller(settings.agent_id, "agent")
            await app(scope, receive, send)

        return asked

    @contextlib.asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with service.running() as producer, commands.running(producer), feed.running():
            agent = RegisterAgent(agent_id=settings.agent_id, personal=settings.agent)
            await commands.send(agent, uuid4())
            yield

    return Litestar(
        route_handlers=[
            client_routes.Clients,
            followup_routes.Tasks,
            followup_routes.Emails,
            timeline_routes.client_timeline,
            timeline_routes.activity,
            live_routes.events,
            live_routes.ws,
            system_routes.command_status,
            system_routes.sendgrid_webhook,
            system_routes.health,
            system_routes.metrics,
        ],
        state=State({"api": api}),
        lifespan=[running],
        exception_handlers=problems.HANDLERS,
        middleware=[problems.answered_when_stopped, known],
        request_max_body_size=settings.max_body_bytes,
        openapi_config=OpenAPIConfig(
            title="RealtorOS",
            version="0.1.0",
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/")],
        ),
        plugins=[PydanticPlugin(prefer_alias=True)],
        logging_config=None,
    )
