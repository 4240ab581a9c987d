"""Settings of composer."""

from chassis.process.settings import RetrySettings, Secret, Text


class ComposerSettings(RetrySettings):
    """Without `openai_api_key` letters are written from templates."""

    openai_api_key: Secret = None
    """Key of the language model; without it templates write the emails."""
    openai_base_url: Text = None
    """Any server that speaks OpenAI's protocol; empty is OpenAI."""
    openai_model: str = "gpt-4o-mini"
    """Name of the language model."""
