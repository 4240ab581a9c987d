"""Secrets in files: `NAME_FILE` beside `NAME`, as Docker and Kubernetes mount them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from chassis.start.exit_codes import ExitCode, StartError


def read_secret(environment: Mapping[str, str], name: str) -> str | None:
    """Return the variable's value or the text of its file, without the line's end.

    An empty variable counts as one that is not set. Raises StartError.
    """
    value, path = environment.get(name), environment.get(f"{name}_FILE")
    if not path:
        return value or None
    if value:
        raise StartError(
            ExitCode.WRONG_SETTING, f"{name}: {name}_FILE is set, too; unset one of the two"
        )
    try:
        return Path(path).read_text().removesuffix("\n").removesuffix("\r") or None
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "is not text"
        raise StartError(
            ExitCode.WRONG_SETTING,
            f"{name}_FILE: {path}: {cause}; mount a file that this user can read",
        ) from error


def is_secret(field: FieldInfo) -> bool:
    """Return whether the field holds a secret, which may come from a file."""
    return field.annotation in {SecretStr, SecretStr | None}


class SecretFiles(EnvSettingsSource):
    """Reads the secrets of the settings that are in files."""

    def __init__(self, settings: type[BaseSettings], environment: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._environment = environment

    def __call__(self) -> dict[str, Any]:
        """Return the secrets by field. Raises StartError."""
        fields = self.settings_cls.model_fields
        return {
            name: secret
            for name, field in fields.items()
            if is_secret(field) and self._environment.get(f"{name.upper()}_FILE")
            if (secret := read_secret(self._environment, name.upper()))
        }
