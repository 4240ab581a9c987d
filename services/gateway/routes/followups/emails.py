"""Routes of emails."""

from datetime import datetime
from functools import partial
from typing import Annotated, get_args
from uuid import UUID

from litestar import Controller, Response
from litestar.status_codes import HTTP_200_OK

from contracts.mailer import ResolveEmail
from contracts.scheduler import CancelFollowup
from services.gateway.http.context import (
    ApiRequest,
    Several,
    context_of,
    find_visible,
    get_tagged,
    post,
    visible_to_caller,
)
from services.gateway.http.etags import IfMatch, etag_response, if_match_version
from services.gateway.http.idempotency import command_id_of
from services.gateway.http.pagination import (
    EmailSort,
    Limit,
    Page,
    list_page,
    sort_order,
    time_range,
)
from services.gateway.markers import MAY_BE_PENDING
from services.gateway.read_models.documents import EMAILS_OF_CLIENT, EmailLogDocument, EmailStatus
from services.gateway.read_models.index_counts import count_listed
from services.gateway.read_models.list_rows import complete_emails
from services.gateway.read_models.schemas.followups import Email, EmailResolution, ListedEmail
from services.gateway.routes.client_search import Search, hint_of_clients, of_clients
from services.gateway.routes.followups.cancelling import cancel_and_settle
from services.gateway.routes.followups.rules import require_own, require_unsent


class Emails(Controller):
    """Emails."""

    path = "/api/emails"
    tags = ["emails"]

    @get_tagged()
    async def list_(
        self,
        request: ApiRequest,
        status: Annotated[list[EmailStatus] | None, Several] = None,
        client_id: UUID | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        q: Search = None,
        sort: EmailSort = "-created_at",
        page: Page = 1,
        limit: Limit = 20,
    ) -> Response[list[ListedEmail]]:
        """List emails, by default the newest first; the text is in `GET /api/emails/{email_id}`.

        `created_after` is included, `created_before` is not. `q` finds those of the clients that
        `GET /api/clients` finds by it, at most 1,000.
        """
        documents = context_of(request).database["email_logs"]
        statuses = status or list(get_args(EmailStatus))
        of_these = await of_clients(request, client_id, q)
        where = visible_to_caller(request) | of_these | {"status": {"$in": statuses}}
        created = ("created_after", created_after), ("created_before", created_before)
        if times := time_range(*created):
            where["created_at"] = times
        by, total = (
            sort_order(sort, indexed=-1),
            partial(count_listed, documents, where, get_args(EmailStatus)),
        )
        return await list_page(
            request,
            documents,
            where,
            by,
            ListedEmail,
            page,
            limit,
            total,
            complete=complete_emails,
            **hint_of_clients(where, EMAILS_OF_CLIENT),
        )

    @get_tagged("/{email_id:uuid}")
    async def show(self, request: ApiRequest, email_id: UUID) -> Response[Email]:
        """Show an email."""
        return etag_response(request, Email, await _email(request, email_id))

    @post("/{email_id:uuid}/resolve", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def resolve(
        self, request: ApiRequest, email_id: UUID, data: EmailResolution, if_match: IfMatch = None
    ) -> Response[Email]:
        """Settle an email that failed or whose outcome is unknown by a person's decision."""
        email = await _document(request, email_id)
        if data.resolution == "resend":
            require_own(email)
        version = await if_match_version(
            request, if_match, f"email-{email_id}", partial(_email, request, email_id)
        )
        await context_of(request).commands.execute(
            ResolveEmail(
                agent_id=email.sender_id or email.agent_id,
                client_id=email.client_id,
                followup_id=email.task_id,
                email_id=email_id,
                resolution=data.resolution,
                if_version=version,
            ),
            command_id_of(request),
        )
        return etag_response(request, Email, await _email(request, email_id))

    @post("/{email_id:uuid}/cancel", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def cancel(
        self, request: ApiRequest, email_id: UUID, if_match: IfMatch = None
    ) -> Response[Email]:
        """Cancel an email that is not sent yet, and with it its follow-up.

        409 when it is too late. The response waits for what is being sent; 202 when that takes
        long. The status is `withheld`, or `sent` if the email was on its way already.
        """
        email = await _document(request, email_id)
        require_unsent(email)
        version = await if_match_version(
            request, if_match, f"plan-{email.client_id}", partial(_email, request, email_id)
        )
        command = CancelFollowup(
            agent_id=email.agent_id,
            client_id=email.client_id,
            followup_id=email.task_id,
            if_version=version,
        )
        await cancel_and_settle(request, command)
        return etag_response(request, Email, await _email(request, email_id))


async def _document(request: ApiRequest, email_id: UUID) -> EmailLogDocument:
    where = {"_id": email_id, "status": {"$exists": True}}
    email: EmailLogDocument = await find_visible(request, "email_logs", where, EmailLogDocument)
    return email


async def _email(request: ApiRequest, email_id: UUID) -> Email:
    where = {"_id": email_id, "status": {"$exists": True}}
    email: Email = await find_visible(request, "email_logs", where, Email)
    return email
