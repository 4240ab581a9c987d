"""composer: writes an email for each follow-up that falls due."""

from chassis.mongo.daily_limit import DailyPlaces
from chassis.service import Service
from contracts.composer import RetryDraft
from contracts.scheduler import DueFollowupCancelled, FollowupDue
from services.composer import reactions
from services.composer.documents import DRAFTS, STORE
from services.composer.earlier_letters import LettersInLog
from services.composer.settings import ComposerSettings
from services.composer.worker import write_draft
from services.composer.writer_choice import writer_for


def build(settings: ComposerSettings) -> Service:
    """Put the parts together."""
    service = Service("composer", settings, STORE)
    writer, slots = writer_for(settings)
    service.react(FollowupDue, reactions.request_draft)
    service.react(DueFollowupCancelled, reactions.discard_draft)
    service.react(RetryDraft, reactions.retry_draft)
    service.when_due(
        DRAFTS,
        write_draft,
        slots=slots,
        writer=writer,
        letters=DailyPlaces(service.database, settings.letter_limit),
        earlier=LettersInLog(service.database),
        policy=settings.retries,
        provider=service.dependency("provider"),
    )
    service.close(writer.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(ComposerSettings.load()).run()


if __name__ == "__main__":
    main()
