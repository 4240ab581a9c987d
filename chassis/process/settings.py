"""Settings that all services share, read once from the environment and frozen."""

import sys
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.domain.retry import RetryPolicy

# Compose files and Helm charts pass an unset variable as an empty string.
Optional = BeforeValidator(lambda value: value or None)
Secret = Annotated[SecretStr | None, Optional]
Text = Annotated[str | None, Optional]


class Settings(BaseSettings):
    """What every service needs. Times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    kafka_bootstrap_servers: str
    kafka_topic_prefix: str = "realtoros."
    # Only for the embedded broker, which answers an empty fetch at once (docs/adr/0005).
    kafka_empty_fetch_hold_ms: int = Field(default=0, ge=0)
    # Also only for the embedded broker: it never forgets a member that died, it only lets another
    # take its place by this name.
    kafka_group_instance_id: Text = None
    mongodb_uri: SecretStr
    lease_seconds: float = Field(default=60, gt=0)
    scheduler_poll_seconds: float = Field(default=5, gt=0)
    # How far apart turns with much in them are: appends, publishing, fetches, looks at due dates.
    pace_seconds: float = Field(default=0.02, ge=0)
    host: str = "127.0.0.1"
    health_port: int = Field(default=0, ge=0, le=65535)
    log_level: str = "INFO"

    @property
    def listen_port(self) -> int:
        """The port that the service serves HTTP on; 0 takes a free one."""
        return self.health_port

    @classmethod
    def load(cls) -> Self:
        """Read the environment. A missing or wrong value ends the process with one clear line."""
        try:
            return cls()
        except ValidationError as error:
            wrong = "; ".join(
                f"{'_'.join(map(str, e['loc'])).upper()} {e['msg']}".strip() for e in error.errors()
            )
            sys.exit(f"realtoros: wrong setting: {wrong}")


class RetrySettings(Settings):
    """For services that call a provider: attempt n is followed by base · 2^(n-1) seconds."""

    # Nobody waits for an answer here: larger batches cost less.
    pace_seconds: float = Field(default=0.1, ge=0)
    retry_base_seconds: float = Field(default=60, gt=0)
    retry_max_attempts: int = Field(default=3, ge=1)
    call_timeout_seconds: float = Field(default=30, gt=0)
    call_slots: int = Field(default=32, ge=1, le=512)

    @property
    def retries(self) -> RetryPolicy:
        """When a failed attempt is tried again."""
        return RetryPolicy(timedelta(seconds=self.retry_base_seconds), self.retry_max_attempts)

    @property
    def call(self) -> timedelta:
        """How long a call to a provider may last."""
        return timedelta(seconds=self.call_timeout_seconds)

    @model_validator(mode="after")
    def _calls_end_within_their_claim(self) -> Self:
        if self.call_timeout_seconds >= self.lease_seconds:
            raise ValueError("CALL_TIMEOUT_SECONDS has to be less than LEASE_SECONDS")
        return self
