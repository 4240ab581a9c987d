"""Registration, log-in and log-out, refresh tokens, passwords."""

from litestar import Controller, Response
from litestar.exceptions import PermissionDeniedException
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from contracts.crm import AgentProfile
from services.gateway.accounts.accounts import Tokens
from services.gateway.accounts.authentication import client_address
from services.gateway.accounts.schemas import (
    LoggedIn,
    Login,
    NewPassword,
    Refresh,
    Registration,
)
from services.gateway.http.context import ApiRequest, context_of, post
from services.gateway.markers import NO_STORE, PUBLIC, SESSION_ONLY


class Auth(Controller):
    """Accounts and log-ins."""

    path = "/api/auth"
    tags = ["auth"]
    opt = {NO_STORE: True}

    @post("/register", opt={PUBLIC: True})
    async def register(self, request: ApiRequest, data: Registration) -> Response[LoggedIn]:
        """Register an agent and log in. Can be closed (REGISTRATION=false)."""
        api = context_of(request)
        if not api.settings.registration:
            raise PermissionDeniedException("registration is closed: ask an admin for an account")
        await api.accounts.count_address(client_address(request))
        profile = AgentProfile.model_validate(data.model_dump(exclude={"password"}))
        agent_id = await api.accounts.add(data.email, data.password, profile)
        await api.accounts.active_account(agent_id)
        tokens = _logged_in(await api.accounts.begin_session(agent_id))
        headers = {"Location": "/api/agents/me"}
        return Response(tokens, status_code=HTTP_201_CREATED, headers=headers)

    @post("/login", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def login(self, request: ApiRequest, data: Login) -> LoggedIn:
        """Log in: get an access token, and a refresh token to exchange for the next one."""
        accounts = context_of(request).accounts
        return _logged_in(await accounts.log_in(data.email, data.password, client_address(request)))

    @post("/refresh", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def refresh(self, request: ApiRequest, data: Refresh) -> LoggedIn:
        """Exchange a refresh token for new tokens. It is valid once: reuse ends the session."""
        accounts = context_of(request).accounts
        return _logged_in(await accounts.refresh(data.refresh_token, client_address(request)))

    @post("/logout", opt={SESSION_ONLY: True}, status_code=HTTP_204_NO_CONTENT)
    async def logout(self, request: ApiRequest) -> None:
        """End this session: its tokens are no longer accepted."""
        api = context_of(request)
        await api.accounts.log_out(request.user)
        api.authentication.clear_cache()

    @post("/password", opt={SESSION_ONLY: True}, status_code=HTTP_204_NO_CONTENT)
    async def password(self, request: ApiRequest, data: NewPassword) -> None:
        """Change the password; all other sessions end."""
        api = context_of(request)
        current, new = data.current_password, data.new_password
        await api.accounts.change_password(request.user, current, new, client_address(request))
        api.authentication.clear_cache()


def _logged_in(tokens: Tokens) -> LoggedIn:
    return LoggedIn(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=tokens.expires_in,
    )
