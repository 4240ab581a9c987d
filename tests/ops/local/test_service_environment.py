"""Each service gets its own settings, so no other's secrets."""

import pytest
from pydantic import SecretStr

from contracts.services import SERVICES, Service
from ops.describe import settings_of
from ops.local.service_environment import SETTINGS, environment_of

EVERYTHING = {
    name.upper(): f"the {name}" for settings in SETTINGS.values() for name in settings.model_fields
} | {
    "PATH": "/bin",
    "LC_ALL": "C.UTF-8",
    "https_proxy": "http://proxy:3128",
    # The operator's own.
    "REALTOROS_API_KEY": "rk_1_2",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AGENT_EMAIL": "me@example.com",
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_files_of_its_own_secrets(service: Service) -> None:
    files = {"MONGODB_URI_FILE": "/a", "TOKEN_KEYS_FILE": "/b", "HOST_FILE": "/c"}
    own = files.keys() - (
        {"HOST_FILE"} if service == "gateway" else {"HOST_FILE", "TOKEN_KEYS_FILE"}
    )
    assert environment_of(service, files).keys() == own


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_the_settings_that_it_reads_and_no_others(service: Service) -> None:
    assert SETTINGS[service] is settings_of(service)
    own = {name.upper() for name in SETTINGS[service].model_fields}
    assert environment_of(service, EVERYTHING).keys() == own | {"PATH", "LC_ALL", "https_proxy"}


@pytest.mark.parametrize(
    ("secret", "services"),
    [
        ("TOKEN_KEYS", {"gateway"}),
        ("UNSUBSCRIBE_KEYS", {"mailer", "gateway"}),
        ("SENDGRID_WEBHOOK_PUBLIC_KEY", {"gateway"}),
        ("OPENAI_API_KEY", {"composer"}),
        ("SENDGRID_API_KEY", {"mailer"}),
        ("SMTP_URL", {"mailer"}),
        ("MONGODB_URI", set(SERVICES)),
        ("KAFKA_SASL_PASSWORD", set(SERVICES)),
        ("REALTOROS_API_KEY", set()),
    ],
)
def test_a_secret_reaches_those_who_need_it(secret: str, services: set[str]) -> None:
    assert {name for name in SERVICES if secret in environment_of(name, EVERYTHING)} == services


def test_no_secret_is_forgotten_above() -> None:
    secrets = {
        name.upper()
        for settings in SETTINGS.values()
        for name, field in settings.model_fields.items()
        if "SecretStr" in str(field.annotation) or field.annotation is SecretStr
    }
    providers = {"OPENAI_API_KEY", "SENDGRID_API_KEY", "SMTP_URL"}
    assert (
        secrets
        == {"TOKEN_KEYS", "UNSUBSCRIBE_KEYS", "MONGODB_URI", "KAFKA_SASL_PASSWORD"} | providers
    )
