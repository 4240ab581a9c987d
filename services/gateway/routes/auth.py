"""Log-in and log-out, refresh tokens, passwords."""

from datetime import timedelta

from litestar import Controller, Response
from litestar.datastructures import Cookie
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from services.gateway.accounts.authentication import client_address
from services.gateway.accounts.documents import AccountDocument
from services.gateway.accounts.links.schemas import LinkLogin
from services.gateway.accounts.schemas import (
    LoggedIn,
    Login,
    NewLogin,
    NewPassword,
    Refresh,
)
from services.gateway.accounts.sessions import Tokens
from services.gateway.http.context import ApiRequest, context_of, post
from services.gateway.markers import NO_STORE, OWN_PAGES, PUBLIC, SESSION_ONLY


class Auth(Controller):
    """Accounts and log-ins."""

    path = "/api/auth"
    tags = ["auth"]
    opt = {NO_STORE: True}

    @post("/login", operation_id="logIn", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def login(self, request: ApiRequest, data: Login) -> LoggedIn:
        """Log in: get an access token, and a refresh token to exchange for the next one.

        An account with a second factor is answered 401 with the code `second_factor_required`
        until its `code` is sent, too.
        """
        account = await _account(request, data)
        return _logged_in(await context_of(request).sessions.begin(account))

    @post(
        "/session",
        operation_id="logInBrowser",
        opt={PUBLIC: True, OWN_PAGES: True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def session(self, request: ApiRequest, data: Login) -> Response[None]:
        """Log in a browser: the session is a cookie that scripts cannot read.

        Otherwise as `/api/auth/login`. For pages of this address alone, with the header
        `X-CSRF-Protection: 1`, as is every write by this cookie. It lasts `REFRESH_TOKEN_DAYS` from
        its last use, `SESSION_DAYS` at most.
        """
        return await _in_browser(request, await _account(request, data))

    @post(
        "/link",
        operation_id="logInBrowserByLink",
        opt={PUBLIC: True, OWN_PAGES: True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def link(self, request: ApiRequest, data: LinkLogin) -> Response[None]:
        """Log in a browser by a one-time link of `realtoros agents link`, within ten minutes.

        Otherwise as `/api/auth/session`: the link stands for the password, not for the second
        factor, and is good until that has its `code`.
        """
        links, network = context_of(request).login_links, client_address(request)
        return await _in_browser(request, await links.log_in(data.token, data.code, network))

    @post("/refresh", operation_id="refreshTokens", opt={PUBLIC: True}, status_code=HTTP_200_OK)
    async def refresh(self, request: ApiRequest, data: Refresh) -> LoggedIn:
        """Exchange a refresh token for new tokens. For 30 s it gives the same refresh token again.

        Used later, it ends the session, since it may have been stolen.
        """
        api = context_of(request)
        await api.limits.count_refresh(client_address(request))
        return _logged_in(await api.sessions.refresh(data.refresh_token))

    @post(
        "/logout",
        operation_id="logOut",
        opt={SESSION_ONLY: True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def logout(self, request: ApiRequest) -> Response[None]:
        """End this session: its tokens are no longer accepted."""
        api = context_of(request)
        if request.user.session:
            await api.sessions.end(request.user.session)
        api.authentication.clear_cache()
        in_browser = api.settings.session_cookie in request.cookies
        return Response(None, cookies=[_cookie(request)] if in_browser else [])

    @post(
        "/password",
        operation_id="changePassword",
        opt={SESSION_ONLY: True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def password(self, request: ApiRequest, data: NewPassword) -> None:
        """Change the password; all other sessions end, and on request all API keys."""
        api = context_of(request)
        account = await confirmed_account(request, data.current_password)
        await api.accounts.change_password(
            account, data.new_password, kept=request.user.session, revoke_keys=data.revoke_keys
        )
        api.authentication.clear_cache()

    @post(
        "/email",
        operation_id="changeLoginEmail",
        opt={SESSION_ONLY: True},
        status_code=HTTP_204_NO_CONTENT,
    )
    async def email(self, request: ApiRequest, data: NewLogin) -> None:
        """Change the address to log in with; the profile's, which clients see, stays."""
        account = await confirmed_account(request, data.current_password)
        await context_of(request).accounts.change_email(account, data.email)


async def confirmed_account(request: ApiRequest, password: str) -> AccountDocument:
    """Return the caller's account. Raises InvalidCredentials if the password is another."""
    network = client_address(request)
    return await context_of(request).accounts.confirm_password(request.user, password, network)


async def _account(request: ApiRequest, login: Login) -> AccountDocument:
    network, accounts = client_address(request), context_of(request).accounts
    return await accounts.log_in(login.email, login.password, network, login.code)


async def _in_browser(request: ApiRequest, account: AccountDocument) -> Response[None]:
    """Begin a session of the account in the browser."""
    token = await context_of(request).sessions.begin_in_browser(account)
    return Response(None, cookies=[_cookie(request, str(token))])


def _cookie(request: ApiRequest, token: str | None = None) -> Cookie:
    """Return the cookie that has the browser keep the token, or without one forget it."""
    settings = context_of(request).settings
    life = timedelta(days=settings.session_days) if token else timedelta()
    return Cookie(
        settings.session_cookie,
        value=token or "",
        max_age=int(life.total_seconds()),
        httponly=True,
        secure=settings.public_url.startswith("https:"),
        samesite="strict",
    )


def _logged_in(tokens: Tokens) -> LoggedIn:
    return LoggedIn(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        expires_in=tokens.expires_in,
    )
