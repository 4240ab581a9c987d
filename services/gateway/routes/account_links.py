"""Registering, and forgotten passwords, by mailed links; the pages that the links open."""

from typing import Annotated

import litestar
from litestar import Controller, Response
from litestar.exceptions import PermissionDeniedException
from litestar.params import Parameter
from litestar.status_codes import (
    HTTP_202_ACCEPTED,
    HTTP_204_NO_CONTENT,
    HTTP_401_UNAUTHORIZED,
    HTTP_422_UNPROCESSABLE_ENTITY,
)
from pydantic import ValidationError

from contracts.crm import AgentProfile
from services.gateway.accounts.authentication import client_address
from services.gateway.accounts.links.schemas import (
    Confirmation,
    ForgottenPassword,
    LinkRequested,
    PasswordReset,
)
from services.gateway.accounts.schemas import Registration
from services.gateway.errors import InvalidCredentials, InvalidField
from services.gateway.http.context import ApiRequest, context_of, post
from services.gateway.http.pages.form_page import FormPage, submitted
from services.gateway.markers import NO_STORE, PUBLIC

_OPT = {PUBLIC: True, NO_STORE: True}
_CLOSED = "registration is closed: ask an admin for an account"
_CONFIRM = FormPage(
    action="confirm",
    title="Confirm your address",
    field="password",
    label="The password that you chose",
    autocomplete="current-password",
    button="Confirm",
    done="Your address is confirmed: you can log in.",
)
_RESET = FormPage(
    action="reset",
    title="Set a new password",
    field="new_password",
    label="New password (at least 12 characters)",
    autocomplete="new-password",
    button="Set the password",
    done="The new password is set, and all sessions have ended: log in.",
    checkbox=("revoke_keys", "Also revoke all API keys"),
)
Token = Annotated[str, Parameter(max_length=200)]


class AccountLinkRoutes(Controller):
    """Links by email. No response tells whether an address has an account."""

    path = "/api/auth"
    tags = ["auth"]
    opt = _OPT

    @post("/register", operation_id="registerAgent", status_code=HTTP_202_ACCEPTED)
    async def register(self, request: ApiRequest, data: Registration) -> LinkRequested:
        """Ask for an account, where registration is open (REGISTRATION=true).

        A link is mailed to the address; there is an account once that is confirmed. An address that
        has one gets an email that says so, and the same response.
        """
        api = context_of(request)
        if not api.settings.registration:
            raise PermissionDeniedException(_CLOSED)
        profile = AgentProfile.model_validate(data.model_dump(exclude={"password"}))
        await api.links.register(data.password, profile, client_address(request))
        return LinkRequested()

    @post("/confirm", operation_id="confirmAddress", status_code=HTTP_204_NO_CONTENT)
    async def confirm(self, request: ApiRequest, data: Confirmation) -> None:
        """Confirm the address with the token of the link and the password: now log in."""
        await _confirm(request, data)

    @post("/forgot", operation_id="requestPasswordReset", status_code=HTTP_202_ACCEPTED)
    async def forgot(self, request: ApiRequest, data: ForgottenPassword) -> LinkRequested:
        """Ask for a link to set a new password, which works once, within an hour.

        Nothing is mailed to an address without an account; the response is the same.
        """
        await context_of(request).links.forgot(data.email, client_address(request))
        return LinkRequested()

    @post("/reset", operation_id="resetPassword", status_code=HTTP_204_NO_CONTENT)
    async def reset(self, request: ApiRequest, data: PasswordReset) -> None:
        """Set a new password with the token of the link: all sessions end, on request all keys."""
        await _reset(request, data)


@litestar.get("/confirm", opt=_OPT, include_in_schema=False)
async def confirm_page(token: Token = "") -> Response[str]:
    """Show the form that confirms an address."""
    return _CONFIRM.form(token)


@litestar.post("/confirm", opt=_OPT, include_in_schema=False)
async def confirm_form(request: ApiRequest) -> Response[str]:
    """Confirm an address."""
    fields = await submitted(request)
    try:
        await _confirm(request, Confirmation.model_validate(fields))
    except (ValidationError, InvalidField, InvalidCredentials) as error:
        return _again(_CONFIRM, fields, error)
    return _CONFIRM.result()


@litestar.get("/reset", opt=_OPT, include_in_schema=False)
async def reset_page(token: Token = "") -> Response[str]:
    """Show the form that sets a new password."""
    return _RESET.form(token)


@litestar.post("/reset", opt=_OPT, include_in_schema=False)
async def reset_form(request: ApiRequest) -> Response[str]:
    """Set a new password."""
    fields = await submitted(request)
    try:
        await _reset(request, PasswordReset.model_validate(fields))
    except (ValidationError, InvalidField) as error:
        return _again(_RESET, fields, error)
    return _RESET.result()


async def _confirm(request: ApiRequest, data: Confirmation) -> None:
    network = client_address(request)
    await context_of(request).links.confirm(data.token, data.password, network)


async def _reset(request: ApiRequest, data: PasswordReset) -> None:
    api, network = context_of(request), client_address(request)
    await api.links.reset(data.token, data.new_password, network, revoke_keys=data.revoke_keys)
    api.authentication.clear_cache()


def _again(
    page: FormPage,
    fields: dict[str, str],
    error: ValidationError | InvalidField | InvalidCredentials,
) -> Response[str]:
    """Return the form again, with what is wrong."""
    token = fields.get("token", "")
    match error:
        case InvalidCredentials():
            return page.form(token, "The password is wrong.", HTTP_401_UNAUTHORIZED)
        case InvalidField():
            reason = f"{error.field}: {error.reason}"
        case ValidationError():
            first = error.errors(include_input=False, include_url=False)[0]
            where, what = ".".join(map(str, first["loc"])), first["msg"]
            reason = f"{where}: {what.removeprefix('Value error, ')}"
    return page.form(token, reason, HTTP_422_UNPROCESSABLE_ENTITY)
