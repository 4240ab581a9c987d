"""Settings: a wrong one ends the start with one line that names the variable."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from chassis.process.settings import RetrySettings, Secret, Settings, Text

GOOD = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
    "MONGODB_URI": "mongodb://u:hush@db.example",  # pragma: allowlist secret
}


class Provider(RetrySettings):
    """A service with a secret that may be absent."""

    api_key: Secret = None
    base_url: Text = None


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Only what is needed is set."""
    for name in Provider.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def start_error(settings: type[Settings]) -> str:
    with pytest.raises(SystemExit) as caught:
        settings.load()
    line = str(caught.value.code)
    assert "\n" not in line
    assert line.startswith("realtoros: wrong setting: ")
    return line


def test_two_addresses_are_all_that_is_needed() -> None:
    settings = Provider.load()
    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.mongodb_uri.get_secret_value() == GOOD["MONGODB_URI"]
    assert settings.kafka_topic_prefix == "realtoros."
    assert (settings.retries.base, settings.retries.attempts) == (timedelta(seconds=60), 3)
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)
    assert f"{name} Field required" in start_error(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEASE_SECONDS", "soon"),
        ("LEASE_SECONDS", "0"),
        ("SCHEDULER_POLL_SECONDS", "-1"),
        ("RETRY_MAX_ATTEMPTS", "0"),
        ("RETRY_BASE_SECONDS", ""),
        ("HEALTH_PORT", "65536"),
        ("CALL_SLOTS_MAX", "0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    assert f"{name} Input should be" in start_error(Provider)


def test_limits_of_calls_out_of_order_are_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CALL_SLOTS_MIN", "9")
    environment.setenv("CALL_SLOTS_MAX", "8")
    assert "CALL_SLOTS_MIN has to be at most CALL_SLOTS_MAX" in start_error(Provider)


def test_all_wrong_settings_are_named_and_nothing_secret(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("LEASE_SECONDS", "hush-1")
    environment.delenv("KAFKA_BOOTSTRAP_SERVERS")
    line = start_error(Settings)
    assert "LEASE_SECONDS" in line
    assert "KAFKA_BOOTSTRAP_SERVERS" in line
    assert "hush" not in line


def test_a_call_has_to_end_within_its_claim(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CALL_TIMEOUT_SECONDS", "60")
    assert "CALL_TIMEOUT_SECONDS has to be less than LEASE_SECONDS" in start_error(Provider)


def test_an_empty_variable_is_one_that_is_not_set(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("API_KEY", "")
    environment.setenv("BASE_URL", "")
    settings = Provider.load()
    assert settings.api_key is None
    assert settings.base_url is None


def test_secrets_do_not_show_and_settings_do_not_change(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("API_KEY", "hush-2")
    settings = Provider.load()
    assert "hush" not in repr(settings) + str(settings)
    field = "lease_seconds"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, field, 1)
