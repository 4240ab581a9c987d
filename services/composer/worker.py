"""The worker for due drafts: has each written, looked at, and if need be written once more."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from pymongo.errors import PyMongoError

from chassis.calls.slots import Slots
from chassis.domain.errors import CallFailed, Refused, Throttled, TryLater
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.work import Work
from chassis.mongo.daily_limit import DailyLimitReached, DailyPlaces
from chassis.observability.series import at_zero
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import FAILURES, report_failure
from chassis.service import Service
from contracts.composer import DraftEvent, Finding, TokensUsed
from services.composer.documents import DRAFTS
from services.composer.draft import (
    Draft,
    compose,
    fail_attempt,
    postpone,
    refuse_letter,
    require_requested,
)
from services.composer.earlier_letters import EarlierLetters, LettersInLog
from services.composer.guard.guard import look
from services.composer.settings import ComposerSettings
from services.composer.writer import CompositionRequest, Writer, Written

log = structlog.get_logger(__name__)

at_zero(FAILURES, ("composition_failed",))


def register_writing(
    service: Service, writer: Writer, settings: ComposerSettings, slots: Slots
) -> None:
    """Write due letters."""
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


async def write_draft(
    work: Work[Draft, DraftEvent],
    *,
    writer: Writer,
    letters: DailyPlaces,
    earlier: EarlierLetters,
    policy: RetryPolicy,
    provider: DependencyHealth,
) -> None:
    """Append the writer's letter, its failure, or that the agent has had enough for a day."""
    try:
        async with letters.place(work.state.agent_id) as place:
            answered = await _write(
                work, writer=writer, earlier=earlier, policy=policy, provider=provider
            )
            place.unused = not answered
    except DailyLimitReached as reached:
        await work.append(postpone, reason="daily_limit", until=reached.until)
        log.info("draft_postponed", reason="daily_limit", until=reached.until.isoformat())


async def _write(
    work: Work[Draft, DraftEvent],
    *,
    writer: Writer,
    earlier: EarlierLetters,
    policy: RetryPolicy,
    provider: DependencyHealth,
) -> bool:
    """Append the writer's letter, or its failure; return whether a letter was written.

    Composing twice costs only money.
    """
    draft = work.state
    request = CompositionRequest(
        draft.followup_type,
        draft.stage,
        draft.property_type,
        draft.personal,
        now=datetime.now(UTC),
        earlier=await earlier.to(draft.client_id, draft.agent_id),
    )

    async def still_wanted() -> None:
        require_requested(await work.stored())

    try:
        written, findings = await write_fit_letter(writer, request, still_wanted)
    except (Refused, TryLater, PyMongoError):
        raise
    except Throttled as refusal:
        # Not before the limit allows it, whatever the time.
        raise TryLater(refusal.reason, after=refusal.retry_after or 0) from None
    except CallFailed as error:
        failure = error
    except Exception as bug:
        log.exception("writer_failed")
        failure = CallFailed(f"bug: {type(bug).__name__}")
    else:
        provider.succeeded()
        if findings:
            after = await work.append(refuse_letter, written=written, findings=findings)
            flags = [finding.flag for finding in findings]
            report_failure("composition_failed", attempt=after.attempts, flags=flags)
        else:
            await work.append(compose, written=written, written_by=writer.name)
        return True
    if not failure.final:
        provider.failed(failure.reason)
    after = await work.append(fail_attempt, failure=failure, policy=policy)
    if after.status == "failed":
        report_failure("composition_failed", attempt=after.attempts, error=failure.reason)
    else:
        log.warning("composition_attempt_failed", attempt=after.attempts, error=failure.reason)
    return False


async def write_fit_letter(
    writer: Writer,
    request: CompositionRequest,
    still_wanted: Callable[[], Awaitable[None]],
) -> tuple[Written, Sequence[Finding]]:
    """Return a letter, and what makes it unfit to send even after one rewrite.

    `still_wanted` raises what ends the work when nobody wants the letter any more. Raises
    CallFailed.
    """
    first = await writer.write(request)
    read_before = [letter.body for letter in request.earlier]
    findings = look(first.composition, request.recipient, read_before)
    if not findings:
        return first, ()
    log.warning("letter_flagged", flags=[finding.flag for finding in findings])
    await still_wanted()
    second = await writer.write(replace(request, findings=findings))
    written = replace(second, tokens=_sum(first.tokens, second.tokens))
    return written, look(second.composition, request.recipient, read_before)


def _sum(first: TokensUsed | None, second: TokensUsed | None) -> TokensUsed | None:
    if first is None or second is None:
        return first or second
    return TokensUsed(
        prompt=first.prompt + second.prompt, completion=first.completion + second.completion
    )
