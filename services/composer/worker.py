"""The worker for due drafts: has each written, looked at, and if need be written once more."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from chassis.calls.call_limit import CallLimit
from chassis.calls.slots import Slots
from chassis.domain.errors import CallFailed, ProviderAway, Refused, Throttled, TryLater
from chassis.domain.retry import RetryPolicy
from chassis.eventlog.waiting import WaitingWork
from chassis.eventlog.work import Work
from chassis.mongo.daily_limit import DailyLimitReached, DailyPlaces
from chassis.observability.series import at_zero
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import FAILURES, report_failure
from chassis.service import Service
from contracts.composer import DraftEvent, Finding, TokensUsed
from services.composer.documents import DRAFTS
from services.composer.draft import (
    KEPT,
    Draft,
    compose,
    fail_attempt,
    postpone,
    refuse_letter,
    require_requested,
)
from services.composer.draft_review import expire
from services.composer.earlier_letters import EarlierLetters, LettersInLog
from services.composer.guard.guard import look
from services.composer.settings import ComposerSettings
from services.composer.writer import CompositionRequest, Writer, Written

log = structlog.get_logger(__name__)

at_zero(FAILURES, ("composition_failed",))


@dataclass(frozen=True)
class WritingDependencies:
    """What the worker needs to have a letter written."""

    writer: Writer
    letters: DailyPlaces
    earlier: EarlierLetters
    policy: RetryPolicy
    limit: CallLimit
    provider: DependencyHealth
    waiting: WaitingWork
    kept: timedelta = KEPT


def register_writing(
    service: Service,
    writer: Writer,
    settings: ComposerSettings,
    slots: Slots,
    limit: CallLimit,
) -> None:
    """Write due letters."""
    deps = WritingDependencies(
        writer,
        DailyPlaces(service.database, settings.letter_limit),
        LettersInLog(service.database),
        settings.retries,
        limit,
        service.dependency("provider"),
        WaitingWork(service.database, DRAFTS, "requested"),
        settings.kept,
    )
    service.when_due(DRAFTS, write_draft, slots=slots, deps=deps)


async def write_draft(work: Work[Draft, DraftEvent], *, deps: WritingDependencies) -> None:
    """Append the writer's letter, its failure, or that the agent has had enough for a day.

    A letter that was not approved in time is discarded. Raises TryLater while an earlier letter to
    the client waits to be written.
    """
    if work.state.status == "written":
        await work.append(expire)
        log.info("draft_expired")
        return
    await deps.waiting.require_first(work.state.client_id, work.state.fell_due_at)
    try:
        async with deps.letters.place(work.state.agent_id) as place:
            # Also when the work is put off.
            place.unused = True
            place.unused = not await _write(work, deps)
    except DailyLimitReached as reached:
        await work.append(postpone, reason="daily_limit", until=reached.until)
        log.info("draft_postponed", reason="daily_limit", until=reached.until.isoformat())


async def _write(work: Work[Draft, DraftEvent], deps: WritingDependencies) -> bool:
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
        earlier=await deps.earlier.to(draft.client_id, draft.agent_id),
    )

    async def still_wanted() -> None:
        require_requested(await work.stored())

    try:
        written, findings = await write_fit_letter(deps.writer, request, still_wanted)
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
        deps.provider.succeeded()
        if findings:
            after = await work.append(
                refuse_letter, written=written, written_by=deps.writer.name, findings=findings
            )
            flags = [finding.flag for finding in findings]
            report_failure("composition_failed", attempt=after.attempts, flags=flags)
        else:
            await work.append(compose, written=written, written_by=deps.writer.name, kept=deps.kept)
        return True
    await _record_failure(work, failure, deps)
    return False


async def _record_failure(
    work: Work[Draft, DraftEvent], failure: CallFailed, deps: WritingDependencies
) -> None:
    """Append the failed attempt or, while the provider is away, that the draft waits.

    Raises TryLater where one that is asked again soon may show that it is not.
    """
    if isinstance(failure, ProviderAway) or not failure.final:
        deps.provider.failed(failure.reason)
    if waits := deps.limit.put_off(failure, work.state.followup_id):
        if not deps.limit.is_away:
            raise TryLater(failure.reason, after=waits.total_seconds())
        await work.append(postpone, reason="provider_away", until=datetime.now(UTC) + waits)
        log.info("draft_postponed", reason="provider_away", error=failure.reason)
        return
    after = await work.append(fail_attempt, failure=failure, policy=deps.policy)
    if after.status == "failed":
        report_failure("composition_failed", attempt=after.attempts, error=failure.reason)
    else:
        log.warning("composition_attempt_failed", attempt=after.attempts, error=failure.reason)


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
