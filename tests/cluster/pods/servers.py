"""What the pods need outside the cluster: secured servers, providers, and the chart's values."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contracts.services import SERVICES
from ops.servers.mongodb_users import OPERATOR
from ops.topics.acls import OPERATORS, acls, allow
from tests.cluster.kubectl import Kubectl
from tests.cluster.pods.engine import BRIDGE
from tests.providers.running import FakeProvider, provider
from tests.secured.certificates import authority
from tests.secured.kafka import SecuredKafka, password_of, secured_kafka
from tests.secured.mongodb import SecuredMongoDB, secured_mongodb
from tests.system import FIT_TO_SEND, PUBLIC_URL, TOKEN_KEYS, UNSUBSCRIBE_KEYS

PREFIX: Final = "realtoros."
USERS: Final = (*SERVICES, OPERATORS)
_CA_FILE: Final = Path("/run/ca/mongodb/ca.crt")
# Further settings of a service that are in its Secret.
_KEYS: Final = {
    "composer": {"OPENAI_API_KEY": "sk-fake"},
    "mailer": {"SENDGRID_API_KEY": "SG.fake", "UNSUBSCRIBE_KEYS": UNSUBSCRIBE_KEYS},
    "gateway": {"TOKEN_KEYS": TOKEN_KEYS, "UNSUBSCRIBE_KEYS": UNSUBSCRIBE_KEYS},
}


@dataclass(frozen=True)
class Servers:
    """The running servers and providers."""

    kafka: SecuredKafka
    mongodb: SecuredMongoDB
    openai: FakeProvider
    sendgrid: FakeProvider

    def secret(self, user: str) -> dict[str, str]:
        """Return the settings in a service's or the operators' Secret."""
        return {
            "MONGODB_URI": self.mongodb.uri(OPERATOR if user == OPERATORS else user, _CA_FILE),
            "KAFKA_SASL_PASSWORD": password_of(user),
            **_KEYS.get(user, {}),
        }

    def create_secrets(self, namespace: Kubectl) -> None:
        """Create the Secrets that the values name."""
        for user in USERS:
            pairs = [f"--from-literal={key}={value}" for key, value in self.secret(user).items()]
            namespace("create", "secret", "generic", f"realtoros-{user}", *pairs)
        certificate = f"--from-file=ca.crt={self.mongodb.authority.file}"
        namespace("create", "secret", "generic", "ca", certificate)

    def values(self) -> str:
        """Return the chart's values (JSON, which is YAML)."""
        day = {"FOLLOWUP_DAY_SECONDS": "1"}
        own: dict[str, dict[str, Any]] = {
            "scheduler": {"env": day},
            "composer": {"env": day | {"OPENAI_BASE_URL": self.openai.url}},
            "mailer": {
                "env": day
                | {
                    "SENDGRID_BASE_URL": self.sendgrid.url,
                    "MAIL_POSTAL_ADDRESS": FIT_TO_SEND["MAIL_POSTAL_ADDRESS"],
                    "EMAILS_PER_DAY": "0",
                }
            },
            "gateway": {"env": {"REQUESTS_PER_SECOND": "1000", "CLIENTS_PER_DAY": "1000000"}},
        }
        for service, keys in _KEYS.items():
            own[service]["secretKeys"] = ["MONGODB_URI", *keys]
        kafka = {"bootstrapServers": self.kafka.admin.bootstrap, "securityProtocol": "SASL_SSL"}
        return json.dumps(
            {
                "publicUrl": PUBLIC_URL,
                "kafka": kafka | {"topicPrefix": PREFIX, "caSecret": "ca"},
                "mongodb": {"caSecret": "ca"},
                "services": own,
            }
        )


@contextlib.asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Run them all at the address at which pods reach this machine."""
    signer = await asyncio.to_thread(authority, folder / "ca.pem")
    async with (
        secured_kafka(folder, signer, BRIDGE) as kafka,
        secured_mongodb(folder / "mongodb", signer, BRIDGE) as mongodb,
        provider("openai", folder, host=BRIDGE) as openai,
        provider("sendgrid", folder, host=BRIDGE) as sendgrid,
    ):
        await allow(kafka.admin, acls(PREFIX))
        yield Servers(kafka, mongodb, openai, sendgrid)
