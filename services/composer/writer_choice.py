"""The choice of the writer."""

from chassis.calls.call_limit import CallLimit
from chassis.calls.slots import LOCAL_SLOTS, FixedSlots, Slots
from services.composer.settings import ComposerSettings
from services.composer.writer import Writer


def writer_for(settings: ComposerSettings, limit: CallLimit) -> tuple[Writer, Slots]:
    """Return the writer that the settings ask for, and how much it writes at once.

    `limit` is that of a provider's calls.
    A provider's package is loaded only when it is used.
    """
    if settings.openai_api_key is None:
        from services.composer.writers.template_writer import TemplateWriter  # noqa: PLC0415

        return TemplateWriter(), FixedSlots(LOCAL_SLOTS)
    from services.composer.writers.openai_writer import OpenAIWriter  # noqa: PLC0415

    writer = OpenAIWriter(
        settings.openai_api_key.get_secret_value(),
        settings.openai_base_url,
        settings.openai_model,
        timeout=settings.call_timeout_seconds,
        limit=limit,
        response_format=settings.openai_response_format,
    )
    return writer, limit
