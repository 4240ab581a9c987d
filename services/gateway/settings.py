"""Settings of gateway."""

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator

from chassis.process.settings import Settings, Text

_KEY_LENGTH = 32


class GatewaySettings(Settings):
    """`token_keys` sign access tokens: `name:secret`, several with commas between, newest first."""

    gateway_port: int = Field(default=8000, ge=0, le=65535)
    command_timeout_seconds: float = Field(default=5, gt=0)
    max_body_bytes: int = Field(default=65_536, gt=0)
    max_header_bytes: int = Field(default=16_384, gt=0)
    # Of an agent, at each replica; five seconds' worth may come at once.
    requests_per_second: float = Field(default=200, gt=0)
    # In five minutes, at all replicas: an address may be that of a whole office.
    logins_per_address: int = Field(default=60, gt=0)
    logins_per_account: int = Field(default=10, gt=0)
    # SendGrid's verification key; without it no report is taken in.
    sendgrid_webhook_public_key: Text = None
    public_url: str = "http://localhost:8000"
    registration: bool = True
    token_keys: SecretStr
    access_token_seconds: float = Field(default=600, gt=0)
    refresh_token_days: float = Field(default=30, gt=0)
    cors_origins: Text = None

    @property
    def listen_port(self) -> int:
        return self.gateway_port

    @property
    def access_token_life(self) -> timedelta:
        """How long an access token is good."""
        return timedelta(seconds=self.access_token_seconds)

    @property
    def signing_keys(self) -> dict[str, str]:
        """The keys for access tokens by name; the first one signs."""
        pairs = self.token_keys.get_secret_value().split(",")
        return {name.strip(): key.strip() for name, _, key in (p.partition(":") for p in pairs)}

    @property
    def origins(self) -> list[str]:
        """The origins whose pages may call the API from a browser."""
        return [origin.strip() for origin in (self.cors_origins or "").split(",") if origin.strip()]

    @model_validator(mode="after")
    def _keys_are_long_enough(self) -> Self:
        for name, key in self.signing_keys.items():
            if not name or len(key) < _KEY_LENGTH:
                raise ValueError(
                    f"TOKEN_KEYS has to be name:secret, each secret of {_KEY_LENGTH} characters"
                    " or more"
                )
        return self
