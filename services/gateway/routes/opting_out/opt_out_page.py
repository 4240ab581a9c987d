"""The opt-out link of a letter (RFC 8058; CAN-SPAM, CASL): a page, and the POST that opts out.

The token alone says who opts out: no log-in, no cookie, no view. What the POST's body says does not
matter, so a mail program's `List-Unsubscribe=One-Click` and the page's button are one.
"""

from uuid import uuid4

import litestar
from litestar import HttpMethod, Response
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_404_NOT_FOUND

from contracts.links.opt_out import InvalidToken, OptOut
from services.gateway.commands.opt_outs import opt_out_of
from services.gateway.http.context import ApiRequest, context_of
from services.gateway.http.pages.button_page import button_page
from services.gateway.markers import NO_STORE, PUBLIC

_PATH = "/u/"
_PATHS = ["/u", "/u/{token:path}"]
_OPT = {PUBLIC: True, NO_STORE: True}


@litestar.route(
    _PATHS, http_method=[HttpMethod.GET, HttpMethod.HEAD], opt=_OPT, include_in_schema=False
)
async def show(request: ApiRequest) -> Response[str]:
    """Show the button. Changes nothing."""
    if _claims(request) is None:
        return _not_found()
    return button_page(
        "Unsubscribe",
        "Press the button, and you will get no more of these emails.",
        "Unsubscribe",
    )


@litestar.post(_PATHS, status_code=HTTP_200_OK, opt=_OPT, include_in_schema=False)
async def opt_out(request: ApiRequest) -> Response[str]:
    """Opt out: 200 once nothing more is sent to the address, 202 when that is sure to come."""
    claims = _claims(request)
    if claims is None:
        return _not_found()
    command = opt_out_of(claims.agent_id, claims.client_id, claims.address, source="link")
    # Of its own id: the link opts out again after a resubscription.
    if await context_of(request).opt_outs.suppress(command, uuid4()):
        return button_page("Unsubscribed", "You will get no more of these emails.")
    return button_page(
        "Unsubscribed",
        "Your request is recorded. An email that is on its way already may still arrive.",
        status=HTTP_202_ACCEPTED,
    )


def _claims(request: ApiRequest) -> OptOut | None:
    """Return who opts out of what; None for what is no good token, whatever is wrong with it."""
    # As it was sent: the decoded path has lost slashes.
    token = request.scope["raw_path"].decode("latin-1").removeprefix(_PATH)
    try:
        return context_of(request).opt_out_tokens.open(token)
    except InvalidToken:
        return None


def _not_found() -> Response[str]:
    return button_page(
        "Not found",
        "This link is not complete. Open it from the email again.",
        status=HTTP_404_NOT_FOUND,
    )
