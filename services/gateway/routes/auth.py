"""Registering, logging in and out, refreshing, passwords."""

from litestar import Controller, Response
from litestar.exceptions import PermissionDeniedException
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from contracts.crm import AgentProfile
from services.gateway.accounts.accounts import Tokens
from services.gateway.accounts.authentication import PUBLIC, SESSION_ONLY, address_of
from services.gateway.accounts.schemas import (
    LoggedIn,
    Login,
    NewPassword,
    Refresh,
    Registration,
)
from services.gateway.http.context import ApiRequest, context_of, post


class Auth(Controller):
    """Accounts and log-ins."""

    path = "/api/auth"
    tags = ["auth"]

    @post("/register", opt={PUBLIC: True})
    async def register(self, request: ApiRequest, data: Registration) -> Response[LoggedIn]:
        """Become an agent, and log in. Can be closed (REGISTRATION=false)."""
        api = context_of(request)
        if not api.settings.registration:
            raise PermissionDeniedException("registration is closed: ask the admin")
        await api.accounts.count_address(address_of(request))
        profile = AgentProfile.model_validate(data.model_dump(exclude={"password"}))
        agent_id = await api.accounts.add(data.email, data.password, profile)
        await api.accounts.account(agent_id)
        tokens = _shown(await api.accounts.begin_session(agent_id))
        headers = {"Location": "/api/agents/me"}
        return Response(tokens, status_code=HTTP_201_CREATED, headers=headers)

    @post("/login", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def login(self, request: ApiRequest, data: Login) -> LoggedIn:
        """Log in: an access token for the calls, a refresh token for the next access token."""
        accounts = context_of(request).accounts
        return _shown(await accounts.log_in(data.email, data.password, address_of(request)))

    @post("/refresh", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def refresh(self, request: ApiRequest, data: Refresh) -> LoggedIn:
        """Exchange a refresh token. Each is good once: shown again, it ends the log-in."""
        accounts = context_of(request).accounts
        return _shown(await accounts.refresh(data.refresh_token, address_of(request)))

    @post("/logout", opt={SESSION_ONLY: True}, status_code=HTTP_204_NO_CONTENT)
    async def logout(self, request: ApiRequest) -> None:
        """End this log-in: its tokens are no good any more."""
        api = context_of(request)
        await api.accounts.log_out(request.user)
        api.gate.forget()

    @post("/password", opt={SESSION_ONLY: True}, status_code=HTTP_204_NO_CONTENT)
    async def password(self, request: ApiRequest, data: NewPassword) -> None:
        """Change the password; every other log-in ends."""
        api = context_of(request)
        current, new = data.current_password, data.new_password
        await api.accounts.change_password(request.user, current, new, address_of(request))
        api.gate.forget()


def _shown(tokens: Tokens) -> LoggedIn:
    return LoggedIn(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=tokens.expires_in,
    )
