"""Where Kafka is and how to log in; here alone its clients are made."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from chassis.start.kafka_settings import KafkaSettings, SaslMechanism, SecurityProtocol

ConsumerFactory = Callable[..., AIOKafkaConsumer]


@dataclass(frozen=True)
class KafkaServers:
    """The addresses of one Kafka and the login to it; as text, the addresses only."""

    bootstrap: str
    protocol: SecurityProtocol = "PLAINTEXT"
    mechanism: SaslMechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, settings: KafkaSettings) -> Self:
        """Return those of the settings."""
        password = settings.kafka_sasl_password
        return cls(
            settings.kafka_bootstrap_servers,
            settings.kafka_security_protocol,
            settings.kafka_sasl_mechanism,
            settings.kafka_sasl_username,
            password.get_secret_value() if password else None,
            settings.kafka_ssl_ca_file,
        )

    def __str__(self) -> str:
        return self.bootstrap

    def producer(self, client_id: str, **options: Any) -> AIOKafkaProducer:
        """Make a producer, which is to be started."""
        return AIOKafkaProducer(client_id=client_id, **self.connection, **options)

    def consumer(
        self, *topics: str, make: ConsumerFactory = AIOKafkaConsumer, **options: Any
    ) -> AIOKafkaConsumer:
        """Make a consumer, which is to be started; what `options` say of the login is void."""
        return make(*topics, **options | self.connection)

    def admin(self, client_id: str) -> AIOKafkaAdminClient:
        """Make a client for operators' requests, which is to be started."""
        return AIOKafkaAdminClient(client_id=client_id, **self.connection)

    def plain(self) -> AIOKafkaClient:
        """Make a client for requests that no other has, which is to be bootstrapped."""
        return AIOKafkaClient(**self.connection)

    @cached_property
    def connection(self) -> dict[str, Any]:
        """What every client is told of addresses, encryption and login."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.protocol,
        }
        if self.protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        if self.protocol.startswith("SASL_"):
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options
