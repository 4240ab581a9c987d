"""Accounts and API keys come back from a backup as they were, and nothing else changes."""

from pathlib import Path

import pytest

from chassis.mongo.client import connect
from contracts.crm import AgentProfile
from ops import account_backup, accounts
from ops.errors import OperatorError
from tests.ops.test_accounts import stored
from tests.ops.test_accounts import uri as uri  # noqa: PLC0414 -- the fixture
from tests.servers import Server


def profile(email: str) -> AgentProfile:
    return AgentProfile(name="Robin Reed", email=email)


async def forget(uri: str) -> None:
    async with connect(uri) as client:
        for collection in ("accounts", "api_keys"):
            await client[accounts.DATABASE][collection].delete_many({})


async def test_what_was_lost_comes_back_as_it_was(uri: str, tmp_path: Path) -> None:
    await forget(uri)
    await accounts.ensure_api_key(uri, tmp_path, {}, lambda _: None)
    await accounts.add_account(uri, profile("robin@reed.example"), "agent")
    before = await stored(uri, "accounts"), await stored(uri, "api_keys")
    file = tmp_path / "accounts.json"
    assert await account_backup.export_accounts(uri, file) == {"accounts": 2, "api_keys": 1}
    assert file.stat().st_mode & 0o777 == 0o600
    await forget(uri)
    assert await account_backup.import_accounts(uri, file) == {"accounts": 2, "api_keys": 1}
    assert (await stored(uri, "accounts"), await stored(uri, "api_keys")) == before
    assert await account_backup.import_accounts(uri, file) == {"accounts": 0, "api_keys": 0}


async def test_an_account_that_is_there_stays_as_it_is(uri: str, tmp_path: Path) -> None:
    await forget(uri)
    await accounts.add_account(uri, profile("robin@reed.example"), "agent")
    file = tmp_path / "accounts.json"
    await account_backup.export_accounts(uri, file)
    await accounts.reset_password(uri, "robin@reed.example")
    changed = await stored(uri, "accounts")
    await account_backup.import_accounts(uri, file)
    assert await stored(uri, "accounts") == changed
    await forget(uri)
    await accounts.add_account(uri, profile("robin@reed.example"), "agent")
    with pytest.raises(OperatorError, match=r"another account has the email robin@reed\.example"):
        await account_backup.import_accounts(uri, file)


async def test_a_mistake_with_the_file_is_one_sentence(mongodb: Server, tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text("[]")
    with pytest.raises(OperatorError, match=r"cannot write .*: File exists"):
        await account_backup.export_accounts(mongodb.address, file)
    with pytest.raises(OperatorError, match="is no file of `realtoros agents export`"):
        await account_backup.import_accounts(mongodb.address, file)
    with pytest.raises(OperatorError, match=r"cannot read .*: No such file"):
        await account_backup.import_accounts(mongodb.address, tmp_path / "none.json")
