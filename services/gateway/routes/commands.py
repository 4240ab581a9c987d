"""Outcomes of commands that were answered with 202."""

from uuid import UUID

from services.gateway.http.context import ApiRequest, find_visible, get
from services.gateway.markers import ADMIN_ONLY
from services.gateway.read_models.schemas.commands import CommandStatus


async def command_status(request: ApiRequest, command_id: UUID) -> CommandStatus:
    """Show the outcome of a command that was answered with 202."""
    found: CommandStatus = await find_visible(
        request, "commands", {"_id": command_id}, CommandStatus
    )
    return found


own_command = get("/api/commands/{command_id:uuid}", tags=["commands"], operation_id="getCommand")(
    command_status
)
any_command = get(
    "/api/admin/commands/{command_id:uuid}",
    operation_id="getAdminCommand",
    tags=["admin"],
    opt={ADMIN_ONLY: True},
    description="Show the outcome of any agent's command that was answered with 202.",
)(command_status)
