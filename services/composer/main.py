"""composer: writes an email for each follow-up that falls due."""

from chassis.calls.call_limit import CallLimit
from chassis.service import Service
from contracts.composer import RetryDraft
from contracts.scheduler import DueFollowupCancelled, FollowupDue
from services.composer import reactions
from services.composer.documents import STORE
from services.composer.settings import ComposerSettings
from services.composer.worker import register_writing
from services.composer.writer_choice import writer_for


def build(settings: ComposerSettings) -> Service:
    """Put the parts together."""
    service = Service("composer", settings, STORE)
    limit = CallLimit(*settings.call_limits)
    writer, slots = writer_for(settings, limit)
    service.react(FollowupDue, reactions.request_draft)
    service.react(DueFollowupCancelled, reactions.discard_draft)
    service.react(RetryDraft, reactions.retry_draft)
    register_writing(service, writer, settings, slots, limit)
    service.close(writer.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(ComposerSettings.load()).run()


if __name__ == "__main__":
    main()
