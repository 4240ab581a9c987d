"""A client of an agent: created, updated, deleted."""

from typing import Any, assert_never
from uuid import UUID

from pydantic import ValidationError

from chassis.domain.errors import Refused
from chassis.domain.state import Given, State
from contracts.addresses import canonical_address
from contracts.crm import (
    ClientCreated,
    ClientDeleted,
    ClientDetails,
    ClientDetailsPatch,
    ClientEvent,
    ClientReassigned,
    ClientUpdated,
    CreateClient,
    DeleteClient,
    PropertyType,
    ReassignClient,
    Stage,
    UpdateClient,
)
from contracts.message import Time


class Client(State):
    """A client. A deleted one is a tombstone without personal data.

    `email_key` is the canonical address, for the unique index.
    """

    agent_id: UUID
    client_id: UUID
    stage: Stage
    property_type: PropertyType
    created_at: Time
    personal: ClientDetails | None = None
    email_key: str | None = None
    deleted_at: Time | None = None


def evolve(client: Client | None, event: ClientEvent) -> Client:
    """Fold an event."""
    match event:
        case ClientCreated() | ClientUpdated():
            return Client(
                agent_id=event.agent_id,
                client_id=event.client_id,
                stage=event.stage,
                property_type=event.property_type,
                created_at=event.created_at,
                personal=event.personal,
                email_key=canonical_address(event.personal.email),
            )
        case ClientReassigned():
            return _existing(client).model_copy(update={"agent_id": event.agent_id})
        case ClientDeleted():
            return _existing(client).model_copy(
                update={"personal": None, "email_key": None, "deleted_at": event.deleted_at}
            )
        case _:
            assert_never(event)


def create(client: Client | None, command: CreateClient, given: Given) -> list[ClientEvent]:
    """Create a client. Refuses a taken id; the unique index refuses a taken email."""
    if client:
        raise Refused("a client with this id already exists", field="client_id")
    return [
        ClientCreated.of(
            command,
            created_at=given.now,
            personal=ClientDetails.of(command.personal.model_dump()),
        )
    ]


def update(client: Client | None, command: UpdateClient, given: Given) -> list[ClientEvent]:
    """Change the fields that the command carries. Returns no event when none differs."""
    known, details = _owned_client(client, command.agent_id)
    patch = command.model_dump(include={"stage", "property_type"})
    before = {"stage": known.stage, "property_type": known.property_type}
    changed = ClientUpdated(
        agent_id=known.agent_id,
        client_id=known.client_id,
        created_at=known.created_at,
        updated_at=given.now,
        personal=_patched(details, command.personal),
        **(before | patch),
    )
    if changed.personal == details and before == before | patch:
        return []
    return [changed]


def reassign(client: Client | None, command: ReassignClient, given: Given) -> list[ClientEvent]:
    """Move a client to another agent; the unique index refuses an email which that one has."""
    known, _ = _owned_client(client, command.agent_id)
    if command.to_agent_id == known.agent_id:
        return []
    return [
        ClientReassigned(
            agent_id=command.to_agent_id,
            client_id=known.client_id,
            former_agent_id=known.agent_id,
            reassigned_at=given.now,
        )
    ]


def delete(client: Client | None, command: DeleteClient, given: Given) -> list[ClientEvent]:
    """Delete a client and free its email."""
    known, _ = _owned_client(client, command.agent_id)
    return [ClientDeleted(agent_id=known.agent_id, client_id=known.client_id, deleted_at=given.now)]


def _patched(details: ClientDetails, patch: ClientDetailsPatch) -> ClientDetails:
    """Apply a JSON merge patch (RFC 7396): objects merge, null removes, all else replaces."""
    merged = _merged(details.fields(), patch.model_dump())
    try:
        return ClientDetails.of(merged)
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise Refused(wrong["msg"], field=field, kind="invalid") from error


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _existing(client: Client | None) -> Client:
    if client is None:
        raise Refused("client not found", kind="not_found")
    return client


def _owned_client(client: Client | None, agent_id: UUID) -> tuple[Client, ClientDetails]:
    """Return the agent's client and its details. Refuses a missing, deleted or foreign one."""
    known = _existing(client)
    if known.personal is None or known.agent_id != agent_id:
        raise Refused("client not found", kind="not_found")
    return known, known.personal
