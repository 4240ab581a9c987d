"""Settings of composer."""

from chassis.process.settings import RetrySettings, Secret, Text


class ComposerSettings(RetrySettings):
    """Without `openai_api_key` the offline templates write."""

    openai_api_key: Secret = None
    openai_base_url: Text = None
    openai_model: str = "gpt-4o-mini"
