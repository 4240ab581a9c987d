"""Settings that all services share, read once from the environment and frozen."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from chassis.domain.retry import RetryPolicy
from chassis.domain.sending_hours import Calendar
from chassis.start.environment import Text
from chassis.start.kafka_settings import KafkaSettings
from contracts.sending_hours import WEEKDAYS, SendingHours, Weekday
from contracts.services import DATABASE_PREFIX

_KEY_LENGTH = 32


def named_keys(keys: SecretStr) -> dict[str, str]:
    """Return the secrets of `name:secret,…` by name, in their order."""
    pairs = (pair.partition(":") for pair in keys.get_secret_value().split(","))
    return {name.strip(): key.strip() for name, _, key in pairs}


def _long_enough(keys: SecretStr) -> SecretStr:
    if any(not name or len(key) < _KEY_LENGTH for name, key in named_keys(keys).items()):
        raise ValueError(f"has to be name:secret, each secret of {_KEY_LENGTH} characters or more")
    return keys


# Several keys with commas between, newest first: `named_keys` returns them.
Keys = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(KafkaSettings):
    """The settings of every service. Times are in seconds unless the name says otherwise."""

    kafka_empty_fetch_hold_ms: int = Field(default=0, ge=0)
    """Pause after an empty fetch, in milliseconds; `up` sets it for the embedded broker (ADR 5)."""
    kafka_group_instance_id: Text = None
    """Static name in the consumer group; `up` sets it for the embedded broker (ADR 5)."""
    mongodb_uri: SecretStr
    """Address of MongoDB, which has to be a replica set; user, password and TLS are part of it."""
    mongodb_database_prefix: str = DATABASE_PREFIX
    """Prefix of the names of all databases."""
    lease_seconds: float = Field(default=60, gt=0)
    """Time after which the claimed work of a dead worker is taken over."""
    scheduler_poll_seconds: float = Field(default=5, gt=0)
    """Longest pause between two looks for due work."""
    pace_seconds: float = Field(default=0.02, ge=0)
    """Pause after a full batch, reading or writing; an idle service does not wait (ADR 7)."""
    host: str = "127.0.0.1"
    """Address that the service listens on."""
    health_port: int = Field(default=0, ge=0, le=65535)
    """Port for health of a service without an API; 0 takes a free one."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port for metrics (Prometheus), for operators only; with 0 they are not served."""
    max_header_bytes: int = Field(default=16_384, gt=0)
    """Largest head of a request, trailers included."""
    max_connections: int = Field(default=2000, gt=0)
    """Open connections to one process; fewer where the system allows fewer open files."""
    max_connections_per_address: int = Field(default=300, gt=0)
    """Open connections from one network address, or IPv6 /64; a trusted proxy may have any."""
    request_timeout_seconds: float = Field(default=10, gt=0)
    """Time for the head of a request, and over which the rate of a transfer is measured."""
    min_bytes_per_second: float = Field(default=500, ge=0)
    """Slowest transfer of a request's body, or of a response."""
    forwarded_allow_ips: Text = None
    """Proxies whose `X-Forwarded-For` is trusted: addresses, networks (comma-separated), or `*`."""
    log_level: str = "INFO"
    """Lowest level of the JSON lines on standard output."""

    @property
    def listen_port(self) -> int:
        """The port that the service serves HTTP on; 0 takes a free one."""
        return self.health_port

    @property
    def listen_port_name(self) -> str:
        """The setting of that port."""
        return "HEALTH_PORT"

    @field_validator("mongodb_uri")
    @classmethod
    def _is_of_mongodb(cls, uri: SecretStr) -> SecretStr:
        if not uri.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("has to begin with mongodb:// or mongodb+srv://")
        if uri.get_secret_value().startswith("mongodb://"):
            _parse_mongodb(uri.get_secret_value())
        return uri

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _are_addresses(cls, proxies: str | None) -> str | None:
        """Refuse what the server would take for the name of a socket, and never match."""
        for one in (proxies or "").split(","):
            if one.strip() and one.strip() != "*":
                ip_network(one.strip())
        return proxies


def _parse_mongodb(uri: str) -> None:
    """Raise ValueError, which quotes nothing of the URI, for one that the driver cannot read."""
    try:
        parse_uri(uri)
    except (PyMongoError, ValueError, OSError) as error:
        file = isinstance(error, OSError) or "tls" in str(error).lower()
        cause = (
            "its tlsCAFile or tlsCertificateKeyFile cannot be read"
            if file
            else ("is no URI that MongoDB's driver can read: percent-encode user and password")
        )
        raise ValueError(cause) from None


def _parse_hours(text: str | SendingHours) -> SendingHours:
    """Return the hours of `[DAYS ]HH:MM-HH:MM`, where DAYS is `mon-fri` or `mon,wed`."""
    if isinstance(text, SendingHours) or not text:
        return text or SendingHours()
    days, _, times = text.strip().lower().rpartition(" ")
    start, _, end = times.partition("-")
    try:
        return SendingHours(start=start, end=end, days=_parse_days(days) if days else WEEKDAYS)
    except ValueError:
        raise ValueError("has to be like 08:00-20:00 or mon-fri 09:00-17:30") from None


def _parse_days(text: str) -> tuple[Weekday, ...]:
    days: set[str] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        begin, end = (WEEKDAYS.index(cast("Weekday", day)) for day in (first, last or first))
        days.update(WEEKDAYS[begin : end + 1] or (*WEEKDAYS[begin:], *WEEKDAYS[: end + 1]))
    return tuple(day for day in WEEKDAYS if day in days)


class CalendarSettings(Settings):
    """For services that count in days of the plan's calendar, which may be a compressed one."""

    followup_day_seconds: float = Field(default=86_400, gt=0)
    """Length of a day of the plan; smaller values compress the calendar."""

    @property
    def day(self) -> timedelta:
        """One day of the plan."""
        return timedelta(seconds=self.followup_day_seconds)


class SendingHoursSettings(CalendarSettings):
    """For services that keep to sending hours. A compressed calendar has none."""

    send_window: Annotated[SendingHours, NoDecode, BeforeValidator(_parse_hours)] = SendingHours()
    """Sending hours of agents without their own: `08:00-20:00`, `mon-fri 09:00-17:30`; in the
    client's time zone, else the agent's. `00:00-24:00` is always."""
    spread_seconds: float = Field(default=600, ge=0, le=86_400)
    """Over this time after an opening, or before an import's dates, follow-ups are spread."""

    @property
    def calendar(self) -> Calendar:
        """The calendar of plans and emails."""
        return Calendar(self.day, self.send_window, timedelta(seconds=self.spread_seconds))


class RetrySettings(Settings):
    """For services that call a provider: attempt n is followed by base · 2^(n-1) seconds."""

    # No caller waits for an answer here, and larger batches cost less.
    pace_seconds: float = Field(default=0.1, ge=0)
    retry_base_seconds: float = Field(default=60, gt=0)
    """Pause after the first failed attempt; it doubles with each further one."""
    retry_max_attempts: int = Field(default=3, ge=1)
    """Attempts to write or send until it has failed."""
    call_timeout_seconds: float = Field(default=30, gt=0)
    """Longest duration of a call to a provider; less than `LEASE_SECONDS`."""
    call_slots_min: int = Field(default=1, ge=1, le=1024)
    """Least number of calls to a provider at the same time, per process."""
    call_slots_max: int = Field(default=32, ge=1, le=1024)
    """Greatest number; between the two it follows what the provider bears."""

    provider_outage_give_up_seconds: float = Field(default=86_400, ge=0)
    """How long work waits, without counting attempts, for a provider that refuses everybody."""

    @property
    def retries(self) -> RetryPolicy:
        """When a failed attempt is tried again."""
        return RetryPolicy(timedelta(seconds=self.retry_base_seconds), self.retry_max_attempts)

    @property
    def call_limits(self) -> tuple[int, int, float]:
        """The least and the greatest number of calls, and how long an outage may last."""
        return self.call_slots_min, self.call_slots_max, self.provider_outage_give_up_seconds

    @property
    def call(self) -> timedelta:
        """How long a call to a provider may last."""
        return timedelta(seconds=self.call_timeout_seconds)

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> Self:
        if self.call_slots_min > self.call_slots_max:
            raise ValueError("CALL_SLOTS_MIN has to be at most CALL_SLOTS_MAX")
        return self

    @model_validator(mode="after")
    def _calls_end_within_their_claim(self) -> Self:
        if self.call_timeout_seconds >= self.lease_seconds:
            raise ValueError("CALL_TIMEOUT_SECONDS has to be less than LEASE_SECONDS")
        return self
