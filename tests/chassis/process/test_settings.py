"""Settings: a wrong one ends the start with one line that names the variable."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.process.settings import RetrySettings, SendingHoursSettings, Settings
from chassis.start.environment import Secret, Text
from chassis.start.exit_codes import StartError

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
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def start_error(settings: type[Settings]) -> str:
    with pytest.raises(StartError) as caught:
        settings.parse()
    assert caught.value.code == 78
    line = str(caught.value)
    assert "\n" not in line
    assert line.endswith("; see docs/settings.md")
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
    assert f"{name}: Field required" in start_error(Settings)


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
    assert f"{name}: Input should be" in start_error(Provider)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (
            {"KAFKA_BOOTSTRAP_SERVERS": "kafka.example"},
            "KAFKA_BOOTSTRAP_SERVERS: has to be host:port",
        ),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL: Input should be"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SASL_USERNAME: missing with SASL_SSL"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "realtoros-crm"},
            "KAFKA_SASL_PASSWORD: missing with SASL_SSL",
        ),
        ({"KAFKA_SSL_CA_FILE": "/ca.pem"}, "KAFKA_SSL_CA_FILE: of use only with SSL"),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_FILE": "/absent/ca.pem"},
            "KAFKA_SSL_CA_FILE: /absent/ca.pem: No such file or directory",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_FILE": __file__},
            f"KAFKA_SSL_CA_FILE: {__file__}: holds no certificates",
        ),
        ({"MONGODB_URI": "db.example:27017"}, "MONGODB_URI: has to begin with mongodb://"),
    ],
)
def test_a_wrong_address_or_login_is_named(
    environment: pytest.MonkeyPatch, wrong: dict[str, str], line: str
) -> None:
    for name, value in wrong.items():
        environment.setenv(name, value)
    assert start_error(Settings).startswith(line)


def test_a_secret_is_read_from_its_file_without_the_line_s_end(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(" hush-3 \n")
    environment.setenv("API_KEY_FILE", str(tmp_path / "key"))
    environment.setenv("API_KEY", "")
    key = Provider.parse().api_key
    assert key
    assert key.get_secret_value() == " hush-3 "


def test_a_required_secret_may_be_in_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "uri").write_text("mongodb://elsewhere.example\n")
    environment.delenv("MONGODB_URI")
    environment.setenv("MONGODB_URI_FILE", str(tmp_path / "uri"))
    assert Settings.parse().mongodb_uri.get_secret_value() == "mongodb://elsewhere.example"


def test_a_secret_that_is_set_twice_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("API_KEY", "hush-4")
    environment.setenv("API_KEY_FILE", "/run/secrets/key")
    with pytest.raises(StartError, match="API_KEY: API_KEY_FILE is set, too; unset one") as caught:
        Provider.parse()
    assert caught.value.code == 78
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("path", ["/absent/key", "/"])
def test_an_unreadable_file_is_named(environment: pytest.MonkeyPatch, path: str) -> None:
    environment.setenv("API_KEY_FILE", path)
    with pytest.raises(StartError, match=f"API_KEY_FILE: {path}: ") as caught:
        Provider.parse()
    assert caught.value.code == 78


def test_a_wrong_setting_ends_the_process_with_one_line_and_78(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("LEASE_SECONDS", "soon")
    with pytest.raises(SystemExit) as caught:
        Settings.load()
    assert caught.value.code == 78
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("realtoros: LEASE_SECONDS: Input should be")


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


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", "08:00-20:00"),
        ("09:00-17:30", "09:00-17:30"),
        ("mon-fri 09:00-17:30", "mon,tue,wed,thu,fri 09:00-17:30"),
        ("Sat, Mon 10:00-24:00", "mon,sat 10:00-24:00"),
        ("sat-mon 00:00-24:00", "mon,sat,sun 00:00-24:00"),
    ],
)
def test_sending_hours_are_read(environment: pytest.MonkeyPatch, written: str, read: str) -> None:
    environment.setenv("SEND_WINDOW", written)
    assert str(SendingHoursSettings.parse().calendar.hours) == read


@pytest.mark.parametrize(
    "wrong", ["always", "8-20", "20:00-08:00", "09:00-09:00", "fri-day 09:00-17:00", "09:00"]
)
def test_hours_that_are_none_are_named(environment: pytest.MonkeyPatch, wrong: str) -> None:
    environment.setenv("SEND_WINDOW", wrong)
    assert "SEND_WINDOW: has to be like 08:00-20:00" in start_error(SendingHoursSettings)


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
