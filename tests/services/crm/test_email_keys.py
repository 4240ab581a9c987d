"""One client per address, whatever its spelling, also among those that 0.1.0 has stored."""

from unicodedata import normalize
from uuid import UUID, uuid4

import pytest
from pymongo.errors import DuplicateKeyError

from chassis.eventlog.aggregate import StateDocument, to_raw
from chassis.mongo.client import Database, connect, database_name
from ops.servers.stores import apply_indexes
from services.crm.client import Client, evolve
from services.crm.documents import ClientDocument, renew_email_keys
from tests.servers import Server
from tests.services.crm.test_client import AGENT, CREATED

OTHER = uuid4()


def stored(address: str, agent_id: UUID = AGENT) -> StateDocument[Client]:
    details = CREATED.personal.model_copy(update={"email": address})
    client_id = uuid4()
    about = {"agent_id": agent_id, "client_id": client_id, "personal": details}
    state = evolve(None, CREATED.model_copy(update=about))
    document: StateDocument[Client] = ClientDocument.model_construct(
        id=client_id, version=1, correlation=uuid4(), due_set_by=None, claim=None, state=state
    )
    return document


async def add(database: Database, address: str, agent_id: UUID = AGENT) -> None:
    await database["clients"].insert_one(to_raw(stored(address, agent_id)))


async def add_in_0_1_0(database: Database, address: str) -> None:
    raw = to_raw(stored(address))
    raw["state"]["email_key"] = address.strip().casefold()
    await database["clients"].insert_one(raw)


@pytest.mark.parametrize(
    ("known", "address"),
    [
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo@xn--bcher-kva.example", "Jo@BÜCHER.example"),
        ("josé@mail.example", normalize("NFD", "JOSÉ@mail.example ")),
        ("Straße@mail.example", "straße@mail.example"),
    ],
)
@pytest.mark.parametrize("release", ["0.1.0", "this one"])
async def test_another_spelling_of_a_client_s_address_is_taken(
    mongodb: Server, known: str, address: str, release: str
) -> None:
    await apply_indexes(mongodb.address)
    async with connect(mongodb.address) as client:
        database = client[database_name("crm")]
        await (add_in_0_1_0 if release == "0.1.0" else add)(database, known)
        await apply_indexes(mongodb.address)
        with pytest.raises(DuplicateKeyError):
            await add(database, address)
        await add(database, address, OTHER)


@pytest.mark.parametrize("known", ["straße@mail.example", "strasse@mail.example"])
async def test_sharp_s_and_double_s_may_both_be_clients(mongodb: Server, known: str) -> None:
    await apply_indexes(mongodb.address)
    async with connect(mongodb.address) as client:
        database = client[database_name("crm")]
        await add_in_0_1_0(database, known)
        assert await renew_email_keys(database) == (not known.isascii())
        assert await renew_email_keys(database) == 0
        other = {"straße@mail.example": "strasse@mail.example"}.get(known, "straße@mail.example")
        await add(database, other)
        with pytest.raises(DuplicateKeyError):
            await add(database, known)
