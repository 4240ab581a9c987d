"""A second factor for log-ins: codes of an authenticator app (TOTP, RFC 6238)."""

from litestar import Controller
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from services.gateway.accounts.authentication import client_address
from services.gateway.accounts.schemas import (
    Enrolment,
    PasswordAgain,
    RecoveryCodes,
    SecondFactorCode,
)
from services.gateway.http.context import ApiRequest, context_of, post
from services.gateway.markers import NO_STORE, SESSION_ONLY
from services.gateway.routes.auth import confirmed_account, own_account


class SecondFactorRoutes(Controller):
    """The caller's second factor."""

    path = "/api/auth/totp"
    tags = ["auth"]
    opt = {NO_STORE: True, SESSION_ONLY: True}

    @post(operation_id="beginSecondFactor", status_code=HTTP_200_OK)
    async def begin(self, request: ApiRequest, data: PasswordAgain) -> Enrolment:
        """Begin to add a second factor; it has no effect until it is confirmed.

        To replace one, send its `code`, too.
        """
        account = await confirmed_account(request, data.current_password)
        enrolment = await context_of(request).second_factors.begin(account, data.code)
        return Enrolment(secret=enrolment.secret, uri=enrolment.uri)

    @post("/confirm", operation_id="confirmSecondFactor", status_code=HTTP_200_OK)
    async def confirm(self, request: ApiRequest, data: SecondFactorCode) -> RecoveryCodes:
        """Confirm the second factor by a code of the app; all other sessions end."""
        api, session = context_of(request), request.user.session
        await api.limits.count_network(client_address(request))
        account = await own_account(request)
        codes = await api.second_factors.confirm(account, data.code, session)
        await api.sessions.end_all(account.id, session)
        api.authentication.clear_cache()
        return RecoveryCodes(recovery_codes=codes)

    @post("/remove", operation_id="removeSecondFactor", status_code=HTTP_204_NO_CONTENT)
    async def remove(self, request: ApiRequest, data: PasswordAgain) -> None:
        """Remove the second factor: send the password and a code of it."""
        api = context_of(request)
        account = await confirmed_account(request, data.current_password)
        await api.second_factors.remove(account, data.code)
        api.authentication.clear_cache()
