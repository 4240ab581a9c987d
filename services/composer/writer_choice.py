"""The choice of the writer."""

from chassis.calls.call_limit import CallLimit
from services.composer.settings import ComposerSettings
from services.composer.writer import Writer


def writer_for(settings: ComposerSettings, limit: CallLimit) -> Writer:
    """Return the writer that the settings ask for; load a provider's package only when used."""
    if settings.openai_api_key is None:
        from services.composer.writers.template_writer import TemplateWriter  # noqa: PLC0415

        return TemplateWriter()
    from services.composer.writers.openai_writer import OpenAIWriter  # noqa: PLC0415

    return OpenAIWriter(
        settings.openai_api_key.get_secret_value(),
        settings.openai_base_url,
        settings.openai_model,
        timeout=settings.call_timeout_seconds,
        limit=limit,
        response_format=settings.openai_response_format,
    )
