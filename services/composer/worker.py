"""The worker for due drafts: has each written."""

import structlog

from chassis.domain.errors import CallFailed
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.due_loop import Work
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import report_failure
from contracts.composer import DraftEvent
from services.composer.draft import Draft, compose, fail_attempt
from services.composer.writer import CompositionRequest, Writer

log = structlog.get_logger(__name__)


async def write_draft(
    work: Work[Draft, DraftEvent],
    *,
    writer: Writer,
    policy: RetryPolicy,
    provider: DependencyHealth,
) -> None:
    """Append the writer's composition, or its failure. Composing twice costs only money."""
    draft = work.state
    request = CompositionRequest(
        draft.followup_type, draft.stage, draft.property_type, draft.personal
    )
    try:
        composition = await writer.write(request)
    except CallFailed as error:
        failure = error
    except Exception as bug:
        log.exception("writer_failed")
        failure = CallFailed(f"bug: {type(bug).__name__}")
    else:
        provider.succeeded()
        await work.append(compose, composition=composition, written_by=writer.name)
        return
    if not failure.final:
        provider.failed(failure.reason)
    after = await work.append(fail_attempt, failure=failure, policy=policy)
    if after.status == "failed":
        report_failure("composition_failed", attempt=after.attempts, error=failure.reason)
    else:
        log.warning("composition_attempt_failed", attempt=after.attempts, error=failure.reason)
