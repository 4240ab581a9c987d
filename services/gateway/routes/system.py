"""The routes that no agent calls: the provider's webhook, health and metrics; and old commands."""

from typing import Any
from uuid import UUID

from litestar import Response
from litestar.exceptions import ClientException, NotFoundException
from litestar.status_codes import HTTP_200_OK
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.process.health import answer
from services.gateway.accounts.authentication import PUBLIC
from services.gateway.http.context import ApiRequest, context_of, find_visible, get, post
from services.gateway.read_models.schemas import CommandStatus

WEBHOOK_BYTES = 1_048_576


@post(
    "/api/webhooks/sendgrid",
    status_code=HTTP_200_OK,
    request_max_body_size=WEBHOOK_BYTES,
    tags=["webhooks"],
    operation_id="webhooks_sendgrid",
    opt={PUBLIC: "unlimited"},
)
async def sendgrid_webhook(request: ApiRequest) -> None:
    """Take in SendGrid's signed reports (event webhook, at most 1 MiB).

    After 200 they are stored, and nothing is sent any more to who opted out; else they have to be
    posted again.
    """
    if (webhook := context_of(request).webhook) is None:
        raise NotFoundException("no webhook key is set (SENDGRID_WEBHOOK_PUBLIC_KEY)")
    try:
        await webhook.take(request.headers, await request.body())
    except ValueError as error:
        raise ClientException("body: is not a JSON list") from error


@get("/api/commands/{command_id:uuid}", tags=["commands"], operation_id="commands_show")
async def command_status(request: ApiRequest, command_id: UUID) -> CommandStatus:
    """Show what became of a command that was answered with 202."""
    found: CommandStatus = await find_visible(
        request, "commands", {"_id": command_id}, CommandStatus
    )
    return found


@get("/metrics", include_in_schema=False, opt={PUBLIC: "unlimited"})
async def metrics() -> Response[bytes]:
    """Give the process's metrics, as Prometheus reads them."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@get(["/health/live", "/health/ready"], include_in_schema=False, opt={PUBLIC: "unlimited"})
async def health(request: ApiRequest) -> Response[dict[str, Any]]:
    """Tell whether the process lives, and whether it can work."""
    status, body = await answer(context_of(request).checks, request.url.path)
    return Response(body, status_code=status)
