"""Routes that no agent calls: the mail provider's webhook, health, what problems mean."""

from functools import partial
from typing import Any, TypeVar

from litestar import Response
from litestar.exceptions import ClientException, NotFoundException
from litestar.status_codes import HTTP_200_OK

from chassis.process.health import answer
from services.gateway.accounts.authentication import client_address
from services.gateway.http import problem_types
from services.gateway.http.context import ApiRequest, context_of, get, post
from services.gateway.http.pages.button_page import button_page
from services.gateway.http.problem_details import NOT_FOUND
from services.gateway.markers import PUBLIC

WEBHOOK_BYTES = 1_048_576
# SendGrid takes mails of 30 MB, and adds fields of its own.
INBOUND_BYTES = 32 * 1_048_576

T = TypeVar("T")


# Of signed posts; they have a limit of their own: see below.
webhook = partial(post, status_code=HTTP_200_OK, tags=["webhooks"], opt={PUBLIC: "unlimited"})


def _in_turn(request: ApiRequest, receiver: T | None, setting: str) -> T:
    """Return what takes the post, unless its network posts too often, or no key is set."""
    context_of(request).webhook_rates.take(client_address(request))
    if receiver is None:
        raise NotFoundException(f"the webhook is disabled: set {setting}")
    return receiver


@webhook(
    "/api/webhooks/sendgrid",
    request_max_body_size=WEBHOOK_BYTES,
    operation_id="receiveSendGridReports",
)
async def sendgrid_webhook(request: ApiRequest) -> None:
    """Record SendGrid's signed reports (event webhook, at most 1 MiB).

    After 200 they are durable, and nothing is sent to addresses that opted out; after any other
    status post them again. A network that posts too often is answered 429.
    """
    reports = _in_turn(request, context_of(request).webhook, "SENDGRID_WEBHOOK_PUBLIC_KEY")
    try:
        await reports.receive(request.headers, await request.body())
    except ValueError as error:
        raise ClientException("body: is not a JSON array") from error


@webhook(
    "/api/webhooks/sendgrid/inbound",
    request_max_body_size=INBOUND_BYTES,
    operation_id="receiveSendGridMail",
)
async def sendgrid_inbound(request: ApiRequest) -> None:
    """Take an email that SendGrid's signed Inbound Parse posts (a form, at most 32 MiB).

    A reply to a letter pauses the client's plan, and its text is forwarded to the agent unless the
    mail went there, too; “stop” alone opts out. Automatic answers, reports, the agent's own copies
    and what answers no letter do nothing. Configure it to post the raw, full MIME message. After
    any other status than 200 post it again.
    """
    inbound = _in_turn(request, context_of(request).inbound, "SENDGRID_INBOUND_PUBLIC_KEY")
    await inbound.receive(request.headers, request.stream())


@get(["/health/live", "/health/ready"], include_in_schema=False, opt={PUBLIC: "unlimited"})
async def health(request: ApiRequest) -> Response[dict[str, Any]]:
    """Return whether the process is live or ready."""
    status, body = await answer(context_of(request).health, request.url.path)
    return Response(body, status_code=status)


@get(problem_types.PATH + "/{slug:str}", include_in_schema=False, opt={PUBLIC: True})
async def problem_page(request: ApiRequest, slug: str) -> Response[str]:
    """Show what a type of problem means: its URI leads here."""
    if (found := problem_types.BY_SLUG.get(slug)) is None:
        raise NotFoundException(NOT_FOUND)
    return button_page(f"{found.status} {found.title}", found.advice)
