"""Apache Kafka that lets in users it knows, over TLS, and only where ACLs allow it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from chassis.kafka.servers import KafkaServers
from contracts.services import SERVICES
from ops.servers.ports import LOOPBACK
from ops.topics.acls import OPERATORS
from tests.secured.certificates import Authority, issue
from tests.servers import Server, apache_kafka

_ADMIN = "admin"
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PROPERTIES = """
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={module} required \\
  username="{admin}" password="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:{admin};User:ANONYMOUS
allow.everyone.if.no.acl.found=false
"""
_ADMIN_PROPERTIES = """
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config={module} required username="{login.username}" password="{login.password}";
ssl.truststore.type=PEM
ssl.truststore.location={login.ca_file}
"""


@dataclass(frozen=True)
class SecuredKafka:
    """The running broker, and the login of its administrator."""

    admin: KafkaServers
    authority: Authority
    certificate: Path

    @property
    def server(self) -> Server:
        """The server as tests know it, with its administrator's login."""
        return Server(self.admin.bootstrap, "Apache Kafka, secured", login=self.admin)

    def as_user(self, name: str) -> KafkaServers:
        """Return the login of a service, or of the operators."""
        return replace(self.admin, username=f"realtoros-{name}", password=password_of(name))

    async def set_password(self, name: str, password: str) -> None:
        """Change the password of a service's user, as kafka-configs.sh does."""
        file = self.certificate.with_name("admin.properties")
        file.write_text(_ADMIN_PROPERTIES.format(login=self.admin, module=_SCRAM))
        await apache_kafka.run_java(
            *("kafka.admin.ConfigCommand", "--bootstrap-server", self.admin.bootstrap),
            *("--command-config", str(file), "--alter", "--entity-type", "users"),
            *("--entity-name", f"realtoros-{name}"),
            *("--add-config", f"SCRAM-SHA-512=[password={password}]"),
        )


def password_of(name: str) -> str:
    """Return the password of a user of the test."""
    return f"only-for-tests-{name}"


@contextlib.asynccontextmanager
async def secured_kafka(
    folder: Path, signer: Authority, host: str = LOOPBACK
) -> AsyncIterator[SecuredKafka]:
    """Run the broker with a user for each service, for operators and for its administrator."""
    certificate = await asyncio.to_thread(issue, signer, folder / "kafka.pem", host)
    properties = _PROPERTIES.format(
        module=_SCRAM,
        admin=_ADMIN,
        password=password_of(_ADMIN),
        certificate=certificate,
        authority=signer.file,
    )
    names = {f"realtoros-{name}": name for name in (*SERVICES, OPERATORS)} | {_ADMIN: _ADMIN}
    users = {user: password_of(name) for user, name in names.items()}
    jars = await apache_kafka.jars()
    async with apache_kafka.kafka(
        jars,
        folder / "kafka",
        host=host,
        listener="SASL_SSL",
        properties=properties,
        users=users,
    ) as address:
        login = KafkaServers(
            address,
            protocol="SASL_SSL",
            username=_ADMIN,
            password=password_of(_ADMIN),
            ca_file=signer.file,
        )
        yield SecuredKafka(login, signer, certificate)
