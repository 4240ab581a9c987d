"""Whatever line a gateway ends at: a link is usable still, or has done what it is for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from chassis.mongo import client as mongo
from chassis.mongo.client import Database
from contracts.crm import AgentProfile
from contracts.message import Command
from contracts.notices import SendNotice
from services.gateway.accounts.accounts import Accounts
from services.gateway.accounts.links.account_links import AccountLinks
from services.gateway.accounts.links.documents import LinkRequestDocument
from services.gateway.accounts.login_limits import LoginLimits
from services.gateway.accounts.second_factor import SecondFactors
from services.gateway.accounts.sessions import Sessions
from services.gateway.documents import STORE
from services.gateway.errors import InvalidField, Unavailable
from services.gateway.settings import GatewaySettings
from tests.servers import Server
from tests.services.gateway.users import PASSWORD
from tests.system import TOKEN_KEYS, UNSUBSCRIBE_KEYS

EMAIL, NETWORK, NEW = "ana@agents.example.com", "192.0.2.1", "staple of the battery"


class Ended(BaseException):
    """The process has ended here."""


def ends(*_: Any, **__: Any) -> Any:
    raise Ended


class Commands:
    """Remembers what is sent. The next `unavailable` times Kafka is away."""

    def __init__(self) -> None:
        self.sent: list[tuple[UUID, SendNotice]] = []
        self.unavailable = 0

    async def send(self, command: Command, command_id: UUID) -> None:
        if self.unavailable:
            self.unavailable -= 1
            raise Unavailable
        assert isinstance(command, SendNotice)
        self.sent.append((command_id, command))

    @property
    def token(self) -> str:
        """The token of the last link."""
        body = self.sent[-1][1].personal.body
        [url] = [line for line in body.splitlines() if line.startswith("http")]
        return parse_qs(urlsplit(url).query)["token"][0]


class Gateway:
    """One gateway's part of it, on a real database; another one is a restart."""

    def __init__(self, address: str, database: Database) -> None:
        settings = GatewaySettings.model_validate(
            {
                "kafka_bootstrap_servers": "unused:1",
                "mongodb_uri": address,
                "token_keys": TOKEN_KEYS,
                "unsubscribe_keys": UNSUBSCRIBE_KEYS,
            }
        )
        self.commands, self.database = Commands(), database
        limits, sessions = LoginLimits(settings, database), Sessions(settings, database)
        client: Any = self.commands
        factors = SecondFactors(database, limits)
        self.accounts = Accounts(database, client, sessions, factors, limits)
        self.links = AccountLinks(settings, database, client, self.accounts, limits)

    async def mail_all(self) -> None:
        """Do what the loop does in a round."""
        async for raw in self.database["link_requests"].find({"unsent": True}):
            await self.links.mailing.mail(LinkRequestDocument.model_validate(raw))

    async def register(self) -> str:
        """Register, and return the token of the mailed link."""
        await self.links.register(PASSWORD, AgentProfile(name="Ana", email=EMAIL), NETWORK)
        await self.mail_all()
        return self.commands.token

    async def passwords(self) -> list[str]:
        return [one["password"] async for one in self.database["accounts"].find()]


@pytest.fixture
async def gateways(mongodb_server: Server) -> AsyncIterator[SimpleNamespace]:
    """`new()` returns another gateway on the same database."""
    async with mongo.connect(mongodb_server.address) as client:
        database = client[f"test_{uuid4().hex[:12]}"]
        await mongo.apply_indexes(mongodb_server.address, database.name, STORE.documents)
        yield SimpleNamespace(new=lambda: Gateway(mongodb_server.address, database))
        await client.drop_database(database.name)


@pytest.mark.parametrize("point", ["insert_one", "delete_one"])
async def test_a_confirmation_that_ends_in_the_middle_can_be_repeated(
    gateways: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    gateway: Gateway = gateways.new()
    token = await gateway.register()
    collection = "_documents" if point == "insert_one" else "_requests"
    with monkeypatch.context() as patch:
        broken = SimpleNamespace(
            find_one=getattr(gateway.links, collection).find_one, **{point: ends}
        )
        patch.setattr(gateway.links, collection, broken)
        with pytest.raises(Ended):
            await gateway.links.confirm(token, PASSWORD, NETWORK)
    restarted: Gateway = gateways.new()
    await restarted.links.confirm(token, PASSWORD, NETWORK)
    assert len(await restarted.passwords()) == 1
    with pytest.raises(InvalidField):
        await restarted.links.confirm(token, PASSWORD, NETWORK)


async def test_a_reset_is_one_write_before_which_the_link_is_good(
    gateways: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway: Gateway = gateways.new()
    await gateway.links.confirm(await gateway.register(), PASSWORD, NETWORK)
    [before] = await gateway.passwords()
    await gateway.links.forgot(EMAIL, NETWORK)
    await gateway.mail_all()
    token = gateway.commands.token
    with monkeypatch.context() as patch:
        patch.setattr(gateway.accounts.passwords, "hash", ends)
        with pytest.raises(Ended):
            await gateway.links.reset(token, NEW, NETWORK, revoke_keys=False)
    assert await gateway.passwords() == [before]
    restarted: Gateway = gateways.new()
    with monkeypatch.context() as patch:
        # After it, only what has ended is removed.
        patch.setattr(Sessions, "end_all", ends)
        with pytest.raises(Ended):
            await restarted.links.reset(token, NEW, NETWORK, revoke_keys=False)
    assert await restarted.passwords() != [before]
    with pytest.raises(InvalidField):
        await gateways.new().links.reset(token, PASSWORD, NETWORK, revoke_keys=False)


async def test_a_request_is_mailed_after_an_outage_and_twice_as_the_same(
    gateways: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway: Gateway = gateways.new()
    gateway.commands.unavailable = 1
    with pytest.raises(Unavailable):
        await gateway.register()
    with monkeypatch.context() as patch:
        # Sent, but its end is not recorded.
        requests = SimpleNamespace(update_one=ends)
        patch.setattr(gateway.links.mailing, "_requests", requests)
        with pytest.raises(Ended):
            await gateway.mail_all()
    restarted: Gateway = gateways.new()
    await restarted.mail_all()
    assert restarted.commands.sent == gateway.commands.sent
    await restarted.mail_all()
    assert len(restarted.commands.sent) == 1


async def test_known_and_unknown_addresses_are_stored_the_same(gateways: SimpleNamespace) -> None:
    gateway: Gateway = gateways.new()
    await gateway.links.confirm(await gateway.register(), PASSWORD, NETWORK)
    for email in (EMAIL, "nobody@agents.example.com"):
        await gateway.links.register(PASSWORD, AgentProfile(name="A", email=email), NETWORK)
        await gateway.links.forgot(email, NETWORK)
    stored = [set(one) async for one in gateway.database["link_requests"].find()]
    assert stored[:2] == stored[2:]
    await gateway.mail_all()
    to = [command.personal.to_email for _, command in gateway.commands.sent[1:]]
    assert sorted(to) == [EMAIL, EMAIL, "nobody@agents.example.com"]
    # Nothing is left but what can be confirmed, and that ends by itself.
    [left] = [one async for one in gateway.database["link_requests"].find()]
    assert left["email"] == "nobody@agents.example.com"
    assert left["expires_at"] < datetime.now(UTC) + timedelta(hours=1)
