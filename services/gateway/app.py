"""The Litestar application around the service."""

import contextlib
from collections.abc import AsyncIterator

from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.plugins.pydantic import PydanticPlugin

from chassis.process.settings import named_keys
from chassis.service import Service
from contracts.links.opt_out import OptOutTokens
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.activation import Activation
from services.gateway.accounts.api_keys import ApiKeys
from services.gateway.accounts.authentication import Authentication
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
from services.gateway.commands.report_placement import ReportPlacement
from services.gateway.commands.sendgrid_signature import VerificationKey
from services.gateway.commands.sendgrid_webhook import SendGridWebhook
from services.gateway.http import headers
from services.gateway.http import problem_details as problems
from services.gateway.http.compression.json_answers import compressed
from services.gateway.http.context import ApiContext
from services.gateway.http.idempotency import IdempotencyMiddleware
from services.gateway.http.openapi.document import openapi_config
from services.gateway.http.own_pages import own_pages
from services.gateway.http.response_metrics import counting
from services.gateway.http.site.pages import page_routes
from services.gateway.http.slow_refusals import slow_refusals
from services.gateway.http.tracing import traced
from services.gateway.live.feed import Feed
from services.gateway.routes import account_links as link_routes
from services.gateway.routes import admin as admin_routes
from services.gateway.routes import agents as agent_routes
from services.gateway.routes import auth as account_routes
from services.gateway.routes import client_files
from services.gateway.routes import clients as client_routes
from services.gateway.routes import commands as command_routes
from services.gateway.routes import dashboard as dashboard_routes
from services.gateway.routes import live as live_routes
from services.gateway.routes import second_factor as second_factor_routes
from services.gateway.routes import sending as sending_routes
from services.gateway.routes import system as system_routes
from services.gateway.routes import timeline as timeline_routes
from services.gateway.routes.bulk.clients import BulkClients
from services.gateway.routes.bulk.tasks import BulkTasks
from services.gateway.routes.followups.drafts import Drafts
from services.gateway.routes.followups.emails import Emails
from services.gateway.routes.followups.planning import Planning
from services.gateway.routes.followups.sequences import SequenceRoutes
from services.gateway.routes.followups.tasks import Tasks
from services.gateway.routes.opting_out import opt_out_page, suppressions
from services.gateway.settings import GatewaySettings


def application(service: Service, settings: GatewaySettings) -> Litestar:
    """Return the application, which runs the service."""
    database = service.database
    commands = CommandClient(settings, database, service.views)
    opt_outs = OptOuts(commands, database)
    webhook = inbound = None
    if key := settings.sendgrid_webhook_public_key:
        placement = ReportPlacement(database)
        webhook = SendGridWebhook(VerificationKey(key), commands, opt_outs, placement)
    if key := settings.sendgrid_inbound_public_key:
        inbound = InboundMail(
            VerificationKey(key), commands, opt_outs, database, settings.reply_addresses
        )
    limits, sessions = LoginLimits(settings, database), Sessions(settings, database)
    second_factors = SecondFactors(database, limits)
    accounts = Accounts(database, commands, sessions, second_factors, limits)
    keys = ApiKeys(database)
    activation = Activation(database, commands, accounts.register)
    authentication = Authentication(
        accounts,
        sessions,
        keys,
        TokenBuckets(settings.requests_per_second),
        settings.session_cookie,
        require_admin_totp=settings.require_admin_totp,
    )
    feed = Feed(database)
    quota = DailyQuota(database, settings.clients_per_day)
    imports = ClientImports(commands, database, quota)
    links = AccountLinks(settings, database, commands, accounts, limits)
    service.close(imports.close)
    api = ApiContext(
        settings=settings,
        commands=commands,
        views=service.views,
        database=database,
        health=service.health,
        webhook=webhook,
        inbound=inbound,
        opt_outs=opt_outs,
        opt_out_tokens=OptOutTokens(named_keys(settings.unsubscribe_keys)),
        webhook_rates=TokenBuckets(settings.webhooks_per_second),
        accounts=accounts,
        sessions=sessions,
        second_factors=second_factors,
        limits=limits,
        activation=activation,
        keys=keys,
        authentication=authentication,
        feed=feed,
        imports=imports,
        quota=quota,
        links=links,
        login_links=LoginLinks(database, second_factors, limits),
    )

    @contextlib.asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with (
            service.running() as producer,
            commands.running(producer),
            activation.running(),
            links.running(),
            feed.running(),
        ):
            yield

    app = Litestar(
        route_handlers=[
            account_routes.Auth,
            account_routes.SessionRoutes,
            link_routes.AccountLinkRoutes,
            link_routes.confirm_page,
            link_routes.confirm_form,
            link_routes.reset_page,
            link_routes.reset_form,
            second_factor_routes.SecondFactorRoutes,
            agent_routes.Me,
            agent_routes.Keys,
            client_routes.Clients,
            BulkClients,
            client_files.ClientFiles,
            dashboard_routes.stats,
            dashboard_routes.waiting,
            dashboard_routes.by_day,
            Drafts,
            Planning,
            SequenceRoutes,
            Tasks,
            BulkTasks,
            Emails,
            suppressions.Suppressions,
            suppressions.unsubscribe_client,
            suppressions.client_suppression,
            opt_out_page.show,
            opt_out_page.opt_out,
            timeline_routes.client_timeline,
            timeline_routes.activity,
            live_routes.events,
            live_routes.ws,
            admin_routes.AllTasks,
            admin_routes.AllEmails,
            admin_routes.Agents,
            admin_routes.quarantine,
            admin_routes.tokens,
            sending_routes.SendingSwitch,
            command_routes.own_command,
            command_routes.any_command,
            system_routes.sendgrid_webhook,
            system_routes.sendgrid_inbound,
            system_routes.health,
            system_routes.problem_page,
            *page_routes(settings.pages_dir),
        ],
        state=State({"api": api}),
        lifespan=[running],
        exception_handlers=problems.HANDLERS,
        middleware=[
            compressed,
            traced,
            problems.unavailable_when_stopped,
            slow_refusals,
            own_pages(settings.session_cookie),
            authentication,
            IdempotencyMiddleware(database),
        ],
        before_send=[headers.security_headers(settings.public_url)],
        cors_config=CORSConfig(
            allow_origins=settings.origins,
            allow_headers=headers.CORS_REQUEST_HEADERS,
            expose_headers=headers.CORS_EXPOSED_HEADERS,
            max_age=600,
        ),
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi_config(),
        plugins=[PydanticPlugin(prefer_alias=True)],
        logging_config=None,
    )
    app.before_send.append(counting(app.routes))
    return app
