"""Kafka's settings, which services and commands share."""

import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from chassis.start.environment import EnvironmentSettings, Optional, Secret, Text
from contracts.catalogue import DEFAULT_PREFIX

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
LAST_PORT = 65_535


class KafkaSettings(EnvironmentSettings):
    """Where Kafka is, and how to log in to it."""

    kafka_bootstrap_servers: str = Field(min_length=1)
    """Addresses of Kafka, comma-separated."""
    kafka_security_protocol: SecurityProtocol = "PLAINTEXT"
    """Whether connections are encrypted (`SSL`, `SASL_SSL`) and log in (`SASL_…`)."""
    kafka_sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    """How to log in."""
    kafka_sasl_username: Text = None
    """The service's user in Kafka, `realtoros-<service>`; required with `SASL_…`."""
    kafka_sasl_password: Secret = None
    """That user's password."""
    kafka_ssl_ca_file: Annotated[Path | None, Optional] = None
    """Certificates (PEM) of who signed the brokers'; empty is the system's own."""
    kafka_topic_prefix: str = DEFAULT_PREFIX
    """Prefix of the names of all topics and consumer groups."""

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _are_hosts_with_ports(cls, servers: str) -> str:
        for server in servers.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or "/" in host or not port.isdecimal() or not 0 < int(port) <= LAST_PORT:
                raise ValueError("has to be host:port, several with commas between")
        return servers

    @model_validator(mode="after")
    def _login_is_complete(self) -> Self:
        if not self.kafka_security_protocol.startswith("SASL_"):
            return self
        if not self.kafka_sasl_username:
            raise ValueError(f"KAFKA_SASL_USERNAME: missing with {self.kafka_security_protocol}")
        if not self.kafka_sasl_password:
            raise ValueError(f"KAFKA_SASL_PASSWORD: missing with {self.kafka_security_protocol}")
        return self

    @model_validator(mode="after")
    def _ca_file_is_readable(self) -> Self:
        if self.kafka_ssl_ca_file is None:
            return self
        if not self.kafka_security_protocol.endswith("SSL"):
            raise ValueError("KAFKA_SSL_CA_FILE: of use only with SSL in KAFKA_SECURITY_PROTOCOL")
        try:
            ssl.create_default_context(cafile=self.kafka_ssl_ca_file)
        except OSError as error:
            unreadable = not isinstance(error, ssl.SSLError)
            cause = error.strerror if unreadable else "holds no certificates"
            raise ValueError(f"KAFKA_SSL_CA_FILE: {self.kafka_ssl_ca_file}: {cause}") from error
        return self
