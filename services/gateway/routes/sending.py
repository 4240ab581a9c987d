"""Routes of the switch that stops all emails to clients."""

from litestar import Controller
from litestar.status_codes import HTTP_200_OK

from contracts.mailer import PauseSending, ResumeSending
from services.gateway.commands.sendgrid_reports import without_addresses
from services.gateway.http.context import ApiRequest, context_of, get, post
from services.gateway.http.idempotency import command_id_of
from services.gateway.markers import ADMIN_ONLY, MAY_BE_PENDING
from services.gateway.read_models.schemas.commands import Sending, SendingPause
from services.gateway.read_models.sending import sending_state


class SendingSwitch(Controller):
    """The switch that stops all emails to clients."""

    path = "/api/admin/sending"
    tags = ["admin"]
    opt = {ADMIN_ONLY: True}

    @get()
    async def show(self, request: ApiRequest) -> Sending:
        """Show whether emails to clients are sent."""
        return await _sending(request)

    @post("/pause", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def pause(self, request: ApiRequest, data: SendingPause | None = None) -> Sending:
        """Stop all emails to clients, within five seconds; none is lost.

        The state is `pausing` until all that had been started are settled, then `paused`.
        """
        reason = data and data.reason and without_addresses(data.reason)
        command = PauseSending(agent_id=request.user.agent_id, reason=reason)
        await context_of(request).commands.execute(command, command_id_of(request))
        return await _sending(request)

    @post("/resume", status_code=HTTP_200_OK, opt={MAY_BE_PENDING: True})
    async def resume(self, request: ApiRequest) -> Sending:
        """Send emails to clients again, those that have waited first."""
        command = ResumeSending(agent_id=request.user.agent_id)
        await context_of(request).commands.execute(command, command_id_of(request))
        return await _sending(request)


async def _sending(request: ApiRequest) -> Sending:
    known = await sending_state(context_of(request).database)
    return Sending.model_validate(known.model_dump())
