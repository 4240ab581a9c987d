"""composer: writes an email for each follow-up that falls due."""

from chassis.calls.call_limit import CallLimit
from chassis.service import Service
from contracts.composer import ReviseDraft
from contracts.scheduler import DueFollowupCancelled, FollowupCancelled, FollowupDue
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
    service.react(FollowupDue, reactions.request_draft, kept=settings.kept)
    service.react(DueFollowupCancelled, reactions.discard_draft)
    service.react(FollowupCancelled, reactions.discard_draft)
    service.react(ReviseDraft, reactions.revise_draft, kept=settings.kept)
    for command, reaction in reactions.BY_COMMAND.items():
        service.react(command, reaction)
    register_writing(service, writer, settings, slots, limit)
    service.close(writer.close)
    return service


def main() -> None:
    """Run until SIGTERM."""
    build(ComposerSettings.load()).run()


if __name__ == "__main__":
    main()
