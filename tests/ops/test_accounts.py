"""Accounts that operators make: the first admin, lost passwords, the command line's own key."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.mongo.client import Raw, connect
from contracts.crm import AgentProfile
from ops import accounts
from ops.errors import OperatorError
from ops.servers.stores import apply_indexes
from services.gateway.accounts.api_keys import KIND
from services.gateway.accounts.passwords import Passwords
from services.gateway.accounts.tokens import OpaqueToken
from services.gateway.settings import GatewaySettings
from tests.servers import Server


@pytest.fixture
async def uri(mongodb: Server) -> str:
    await apply_indexes(mongodb.address)
    return mongodb.address


async def stored(uri: str, collection: str, **where: Any) -> list[Raw]:
    async with connect(uri) as client:
        return await client[accounts.DATABASE][collection].find(where).to_list()


def nobody(_: accounts.Credentials) -> None:
    """Tell nobody."""


def modes_in(folder: Path) -> set[int]:
    return {file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_the_first_start_makes_an_admin_and_tells_the_login_once(
    uri: str, tmp_path: Path
) -> None:
    environment = {"AGENT_NAME": "Dana Reed", "AGENT_EMAIL": "Dana@Reed.example"}
    told: list[accounts.Credentials] = []
    first = await accounts.ensure_api_key(uri, tmp_path, environment, told.append)
    [admin] = told
    [account] = await stored(uri, "accounts")
    assert (account["_id"], account["role"]) == (accounts.FIRST_AGENT_ID, "admin")
    assert account["email"] == "dana@reed.example"
    assert account["unregistered"]["name"] == "Dana Reed"
    assert await Passwords().verify(admin.password, account["password"])
    again = await accounts.ensure_api_key(uri, tmp_path, environment, told.append)
    assert (again, told) == (first, [admin])
    assert len(await stored(uri, "api_keys")) == 1


async def test_only_the_user_can_read_what_lets_the_command_line_in(
    uri: str, tmp_path: Path
) -> None:
    access = await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    keys = accounts.ensure_keys(tmp_path, "TOKEN_KEYS")
    others = accounts.ensure_keys(tmp_path, "UNSUBSCRIBE_KEYS")
    assert keys != others
    assert await asyncio.to_thread(modes_in, tmp_path) == {0o600}
    assert accounts.read_api_key(tmp_path) == access
    assert accounts.ensure_keys(tmp_path, "TOKEN_KEYS") == keys
    settings = GatewaySettings(
        kafka_bootstrap_servers="k:1",
        mongodb_uri="mongodb://m",
        token_keys=keys,
        unsubscribe_keys=others,
    )
    assert list(settings.signing_keys) == ["1"]
    secret = OpaqueToken.parse(access, KIND)
    assert secret
    [key] = await stored(uri, "api_keys", _id=secret.id)
    assert key["secret"] == secret.digest
    assert secret.random not in str(key)


async def test_a_key_that_the_database_does_not_know_is_made_anew(uri: str, tmp_path: Path) -> None:
    """The database was put back, or is another."""
    old = await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    async with connect(uri) as client:
        await client[accounts.DATABASE]["api_keys"].delete_many({})
    new = await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    assert new != old
    assert accounts.read_api_key(tmp_path) == new


async def test_a_key_that_was_revoked_is_replaced(uri: str, tmp_path: Path) -> None:
    old = await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    async with connect(uri) as client:
        await client[accounts.DATABASE]["accounts"].update_many({}, {"$inc": {"keys_version": 1}})
    new = await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    assert new != old
    assert await accounts.ensure_api_key(uri, tmp_path, {}, nobody) == new


async def test_without_an_active_admin_it_says_what_to_do(uri: str, tmp_path: Path) -> None:
    await accounts.ensure_api_key(uri, tmp_path, {}, nobody)
    async with connect(uri) as client:
        await client[accounts.DATABASE]["accounts"].update_many({}, {"$set": {"active": False}})
    with pytest.raises(OperatorError, match="agents add EMAIL --admin"):
        await accounts.ensure_api_key(uri, tmp_path / "other", {}, nobody)


async def test_the_first_password_is_told_even_if_the_key_cannot_be_written(
    uri: str, tmp_path: Path
) -> None:
    told: list[accounts.Credentials] = []
    (tmp_path / "api-key").mkdir()
    with pytest.raises(OSError, match="directory"):
        await accounts.ensure_api_key(uri, tmp_path, {}, told.append)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AGENT_EMAIL", "notanemail"), ("AGENT_NAME", "x" * 101), ("AGENT_PHONE", "1" * 50)],
)
def test_a_wrong_profile_of_the_first_admin_names_the_setting(variable: str, value: str) -> None:
    with pytest.raises(OperatorError, match=f"^{variable} “{value}”: "):
        accounts.profile_from({variable: value})


async def test_accounts_are_added_and_lost_passwords_replaced(uri: str) -> None:
    email = f"{uuid4().hex}@agents.example"
    profile = accounts.profile_from({"AGENT_EMAIL": email})
    login = await accounts.add_account(uri, profile, "agent")
    with pytest.raises(OperatorError, match="there is an account"):
        await accounts.add_account(uri, profile, "admin")
    [account] = await stored(uri, "accounts", email=email)
    assert account["role"] == "agent"
    async with connect(uri) as client:
        sessions = client[accounts.DATABASE]["sessions"]
        await sessions.insert_one({"_id": UUID(int=1), "agent_id": account["_id"]})
        factor = {"secret": "", "last_step": 1, "recovery": []}
        change = {"$set": {"second_factor": factor, "unconfirmed_secret": ""}}
        await client[accounts.DATABASE]["accounts"].update_one({"_id": account["_id"]}, change)
    reset = await accounts.reset_password(uri, email.upper())
    [account] = await stored(uri, "accounts", email=email)
    assert await Passwords().verify(reset.password, account["password"])
    assert not await Passwords().verify(login.password, account["password"])
    assert await stored(uri, "sessions", agent_id=account["_id"]) == []
    # One that began at the same moment has ended, too.
    assert account["sessions_version"] == 1
    assert not {"second_factor", "unconfirmed_secret"} & account.keys()
    with pytest.raises(OperatorError, match="no account"):
        await accounts.reset_password(uri, "nobody@agents.example")


@pytest.mark.parametrize(
    ("stored_as", "typed"),
    [
        ("jo@bücher.example", "Jo@xn--bcher-kva.example"),
        ("jo@xn--bcher-kva.example", "jo@bücher.example"),
        ("strasse@reed.example", "Straße@reed.example"),
        ("dana@reed.example", "DANA@reed.example"),
    ],
)
async def test_an_account_that_0_1_0_has_stored_is_found(
    uri: str, stored_as: str, typed: str
) -> None:
    profile = AgentProfile(name="Jo", email=typed)
    await accounts.add_account(uri, profile, "agent")
    async with connect(uri) as client:
        # In 0.1.0 the address was in folded case, and nothing said so.
        older = {"$set": {"email": stored_as}, "$unset": {"canonical": ""}}
        await client[accounts.DATABASE]["accounts"].update_one({}, older)
    with pytest.raises(OperatorError, match="already"):
        await accounts.add_account(uri, profile, "agent")
    assert (await accounts.reset_password(uri, typed)).email == typed
    assert len(await stored(uri, "accounts", email=stored_as)) == 1


async def test_an_account_that_is_told_apart_is_not_found_under_another_s_address(uri: str) -> None:
    for email in ("strasse@reed.example", "straße@reed.example"):
        await accounts.add_account(uri, AgentProfile(name="S", email=email), "agent")
    before = await stored(uri, "accounts", email="strasse@reed.example")
    await accounts.reset_password(uri, "straße@reed.example")
    assert await stored(uri, "accounts", email="strasse@reed.example") == before
