"""What each service gets of the supervisor's environment: its own settings, so its own secrets."""

import re
from collections.abc import Mapping

from chassis.process.settings import Settings
from chassis.start.secret_files import is_secret
from contracts.services import Service
from services.composer.settings import ComposerSettings
from services.gateway.settings import GatewaySettings
from services.mailer.settings import MailerSettings
from services.scheduler.settings import SchedulerSettings

SETTINGS: Mapping[Service, type[Settings]] = {
    "crm": Settings,
    "scheduler": SchedulerSettings,
    "composer": ComposerSettings,
    "mailer": MailerSettings,
    "gateway": GatewaySettings,
}
# What the interpreter, the C library, OpenSSL, the HTTP libraries and OpenTelemetry read.
_SYSTEM = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|PYTHON\w*|VIRTUAL_ENV|COVERAGE_\w+"
    r"|LD_\w+|MALLOC_\w+|SSL_CERT_(FILE|DIR)|(?i:https?|all|no)_(?i:proxy)|OTEL_\w+"
)


def environment_of(service: Service, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the environment that are for the service."""
    fields = SETTINGS[service].model_fields
    names = {name.upper() for name in fields}
    names |= {f"{name.upper()}_FILE" for name, field in fields.items() if is_secret(field)}
    return {
        name: value
        for name, value in environment.items()
        if name in names or _SYSTEM.fullmatch(name)
    }
