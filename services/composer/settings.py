"""Settings of composer."""

from typing import Literal

from chassis.process.settings import RetrySettings, Secret, Text

ResponseFormat = Literal["json_schema", "json_object", "none"]


class ComposerSettings(RetrySettings):
    """Without `openai_api_key` letters are written from templates."""

    openai_api_key: Secret = None
    """Key of the language model; without it templates write the emails."""
    openai_base_url: Text = None
    """Any server that speaks OpenAI's protocol; empty is OpenAI."""
    openai_model: str = "gpt-4o-mini"
    """Name of the language model."""
    openai_response_format: ResponseFormat = "json_schema"
    """What the server can promise of its answer; `none` where it knows neither of the others."""
