"""Settings of gateway."""

from datetime import timedelta

from pydantic import Field

from chassis.process.settings import Keys, Settings, named_keys
from chassis.start.environment import Text
from contracts.links.replies import ReplyAddresses


class GatewaySettings(Settings):
    """`token_keys` sign access tokens: `name:secret`, several with commas between, newest first."""

    gateway_port: int = Field(default=8000, ge=0, le=65535)
    """Port of the API."""
    command_timeout_seconds: float = Field(default=5, gt=0)
    """How long a write waits for its outcome before it is answered 202."""
    plan_wait_seconds: float = Field(default=5, ge=0)
    """How long a new client's 201 waits for its follow-ups before it is 202; 0: not at all."""
    max_body_bytes: int = Field(default=65_536, gt=0)
    """Largest body of a request, imports and webhooks aside."""
    requests_per_second: float = Field(default=200, gt=0)
    """Requests of one agent at each gateway; five seconds' worth may come at once."""
    logins_per_address: int = Field(default=60, gt=0)
    """Login attempts from one network address in five minutes, at all gateways."""
    logins_per_account: int = Field(default=10, gt=0)
    """Failed logins to one account from one network address in five minutes, at all gateways."""
    logins_from_new_networks: int = Field(default=50, gt=0)
    """Failed logins to one account in five minutes from all networks that never logged in to it."""
    webhooks_per_second: float = Field(default=20, gt=0)
    """Posts to the webhook from one network address; five seconds' worth may come at once."""
    sendgrid_webhook_public_key: Text = None
    """Verification key of SendGrid's event webhook; without it every report is refused."""
    sendgrid_inbound_public_key: Text = None
    """Verification key of SendGrid's Inbound Parse; without it every mail is refused."""
    reply_domain: Text = None
    """Domain whose mail SendGrid posts to `/api/webhooks/sendgrid/inbound`, for Reply-To addresses
    beside the agents' own; without it replies are known by what their headers refer to."""
    public_url: str = "http://localhost:8000"
    """Address under which browsers reach the API."""
    registration: bool = False
    """Whether anyone can register, with an address that they confirm; else admins add agents."""
    links_per_network: int = Field(default=20, gt=0)
    """Mailed links (to register, to set a password) from one network address in an hour."""
    clients_per_day: int = Field(default=20_000, gt=0)
    """New clients of one agent in a UTC day, at all gateways."""
    token_keys: Keys
    """Keys of access tokens: `name:secret,…`, each 32 characters or more; the first one signs."""
    unsubscribe_keys: Keys
    """Keys of opt-out links, as `TOKEN_KEYS`: the first seals, each opens what it has sealed."""
    access_token_seconds: float = Field(default=600, gt=0)
    """Lifetime of an access token."""
    refresh_token_days: float = Field(default=30, gt=0)
    """Lifetime of a refresh token in days."""
    session_days: float = Field(default=90, gt=0)
    """Lifetime of a session in days, however often it is refreshed."""
    require_admin_totp: bool = False
    """Whether admins need a second factor for admin routes."""
    cors_origins: Text = None
    """Origins whose pages may call the API, comma-separated."""
    pages_dir: Text = None
    """Folder of the dashboard's built pages, which are served at `/`; without it the API alone."""

    @property
    def reply_addresses(self) -> ReplyAddresses | None:
        """The addresses of replies, if there is a domain for them."""
        if not self.reply_domain:
            return None
        return ReplyAddresses(named_keys(self.unsubscribe_keys), self.reply_domain)

    @property
    def listen_port(self) -> int:
        return self.gateway_port

    @property
    def listen_port_name(self) -> str:
        return "GATEWAY_PORT"

    @property
    def access_token_life(self) -> timedelta:
        """How long an access token is good."""
        return timedelta(seconds=self.access_token_seconds)

    @property
    def signing_keys(self) -> dict[str, str]:
        """The keys for access tokens by name; the first one signs."""
        return named_keys(self.token_keys)

    @property
    def session_cookie(self) -> str:
        """The cookie of a browser's session; the prefix binds it to https and this host."""
        return "__Host-realtoros" if self.public_url.startswith("https:") else "realtoros"

    @property
    def origins(self) -> list[str]:
        """The origins whose pages may call the API from a browser."""
        return [origin.strip() for origin in (self.cors_origins or "").split(",") if origin.strip()]
