"""Settings from the environment: frozen, and a wrong one ends the start with one line."""

import os
from typing import Annotated, Self

from pydantic import BeforeValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.start.exit_codes import ExitCode, StartError, end
from chassis.start.secret_files import SecretFiles

# Compose files and Helm charts pass an unset variable as an empty string.
Optional = BeforeValidator(lambda value: value or None)
Secret = Annotated[SecretStr | None, Optional]
Text = Annotated[str | None, Optional]


class EnvironmentSettings(BaseSettings):
    """Settings that are read from the environment, their secrets from files, too."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls, os.environ), env_settings

    @classmethod
    def parse(cls, **given: str) -> Self:
        """Read the environment, but for what is given.

        Raises StartError, which names every wrong setting.
        """
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            # A check of several settings names them itself.
            wrong = "; ".join(
                ": ".join([*(str(name).upper() for name in e["loc"][:1]), _cause(e["msg"])])
                for e in error.errors()
            )
            raise StartError(ExitCode.WRONG_SETTING, f"{wrong}; see docs/settings.md") from None

    @classmethod
    def load(cls) -> Self:
        """Read the environment. A wrong value ends the process with one line that names it."""
        try:
            return cls.parse()
        except StartError as error:
            end(error)


def _cause(message: str) -> str:
    """Return a message of pydantic's without its own first words."""
    return message.removeprefix("Value error, ")
