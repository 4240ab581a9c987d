"""Log-in and log-out, refresh tokens, passwords."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from litestar import Controller, Response
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from chassis.mongo.client import Database, Raw
from services.gateway.accounts.authentication import client_address
from services.gateway.accounts.documents import AccountDocument, SessionDocument
from services.gateway.accounts.links.schemas import LinkLogin
from services.gateway.accounts.schemas import (
    LoggedIn,
    Login,
    NewLogin,
    NewPassword,
    Refresh,
    Session,
)
from services.gateway.accounts.sessions import Tokens
from services.gateway.errors import InvalidCredentials
from services.gateway.http.context import ApiRequest, context_of, delete, get_tagged, post
from services.gateway.http.pagination import Limit, Page, list_page, sort_order
from services.gateway.http.problem_details import NOT_FOUND
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
        return _logged_in(await context_of(request).sessions.begin(account, _user_agent(request)))

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
            await api.sessions.end(request.user.session, request.user.agent_id)
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


class SessionRoutes(Controller):
    """Where the agent is logged in."""

    path = "/api/auth/sessions"
    tags = ["auth"]
    opt = {SESSION_ONLY: True}

    @get_tagged(operation_id="listSessions")
    async def list_(
        self, request: ApiRequest, page: Page = 1, limit: Limit = 20
    ) -> Response[list[Session]]:
        """List the sessions that have not ended, the newest first."""
        api, current = context_of(request), request.user.session
        account = await own_account(request)

        async def mark_current(_: Database, rows: list[Raw]) -> None:
            for row in rows:
                row["is_current"] = row["_id"] == current

        documents = api.database[SessionDocument.Settings.name]
        where, by = api.sessions.of_account(account), sort_order("-began_at", indexed=-1)
        total = partial(documents.count_documents, where)
        return await list_page(
            request, documents, where, by, Session, page, limit, total, complete=mark_current
        )

    @delete(operation_id="endOtherSessions")
    async def end_others(self, request: ApiRequest) -> None:
        """End all sessions but this one."""
        api = context_of(request)
        await api.sessions.end_all(request.user.agent_id, request.user.session)
        api.authentication.clear_cache()

    @delete("/{session_id:uuid}", operation_id="endSession")
    async def end(self, request: ApiRequest, session_id: UUID) -> None:
        """End a session: within seconds its tokens are no longer accepted."""
        api = context_of(request)
        if not await api.sessions.end(session_id, request.user.agent_id):
            raise NotFoundException(NOT_FOUND)
        api.authentication.clear_cache()


async def own_account(request: ApiRequest) -> AccountDocument:
    """Return the caller's account. Raises InvalidCredentials if it was deactivated meanwhile."""
    account = await context_of(request).accounts.active_account(request.user.agent_id)
    if account is None:
        raise InvalidCredentials
    return account


async def confirmed_account(request: ApiRequest, password: str) -> AccountDocument:
    """Return the caller's account. Raises InvalidCredentials if the password is another."""
    network = client_address(request)
    return await context_of(request).accounts.confirm_password(request.user, password, network)


async def _account(request: ApiRequest, login: Login) -> AccountDocument:
    network, accounts = client_address(request), context_of(request).accounts
    return await accounts.log_in(login.email, login.password, network, login.code)


def _user_agent(request: ApiRequest) -> str:
    return request.headers.get("User-Agent", "")


async def _in_browser(request: ApiRequest, account: AccountDocument) -> Response[None]:
    """Begin a session of the account in the browser."""
    token = await context_of(request).sessions.begin_in_browser(account, _user_agent(request))
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
