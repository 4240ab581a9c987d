"""What becomes of a due draft: written, written once more, or left to a person."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, ProviderAway, Refused, Throttled, TryLater
from chassis.domain.retry import RetryPolicy
from chassis.domain.state import Given
from chassis.eventlog.waiting import WaitingWork
from chassis.mongo.client import connect
from chassis.mongo.daily_limit import DailyLimit, DailyPlaces
from chassis.process.dependency_health import DependencyHealth
from chassis.process.metrics import FAILURES
from contracts.composer import (
    CompositionAttemptFailed,
    CompositionFailed,
    DraftEvent,
    DraftPostponed,
    EmailComposed,
    TokensUsed,
)
from services.composer.documents import DRAFTS
from services.composer.draft import Draft, evolve
from services.composer.worker import WritingDependencies, write_draft
from services.composer.writer import Composition, CompositionRequest, EarlierLetter, Written
from tests.services.composer.test_draft import DISCARDED, GIVEN, REQUESTED

FIT = Composition(subject="Your plans", body="Hi Maria,\n\nhow are the plans for the land going?")
UNFIT = Composition(subject="Your plans", body="Hi [Client Name],\n\nthe land costs $90,000 now.")
TOKENS = TokensUsed(prompt=100, completion=10)
# No server runs at this address. Without a limit the database is not asked.
NO_DATABASE = connect("mongodb://127.0.0.1:1")["none"]
ANY_NUMBER = DailyPlaces(
    NO_DATABASE,
    DailyLimit(0, timedelta(days=1), timedelta(minutes=1)),
)


class ScriptedWriter:
    """Writes what it is told to, or fails; remembers the requests."""

    name = "script"

    def __init__(self, *answers: Composition | CallFailed) -> None:
        self._answers = list(answers)
        self.requests: list[CompositionRequest] = []

    async def write(self, request: CompositionRequest) -> Written:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        return Written(answer, "en", TOKENS)

    async def close(self) -> None:
        """Hold nothing."""


@dataclasses.dataclass
class DraftInMemory:
    """A due draft whose log is a list."""

    state: Draft
    events: list[DraftEvent] = dataclasses.field(default_factory=list)

    async def stored(self) -> Draft:
        return self.state

    async def append(self, decide: Callable[..., Sequence[DraftEvent]], **settings: Any) -> Draft:
        for event in decide(self.state, Given(GIVEN.now, GIVEN.cause), **settings):
            self.events.append(event)
            self.state = evolve(self.state, event)
        return self.state


class LettersInMemory:
    """Has the letters that it was given, for every client."""

    def __init__(self, *bodies: str) -> None:
        self._letters = [EarlierLetter(GIVEN.now, "Hello", body) for body in bodies]

    async def to(self, client_id: UUID, agent_id: UUID) -> list[EarlierLetter]:
        assert (client_id, agent_id) == (REQUESTED.client_id, REQUESTED.agent_id)
        return self._letters


def due_draft() -> DraftInMemory:
    return DraftInMemory(evolve(None, REQUESTED))


async def work_on(
    work: DraftInMemory, writer: ScriptedWriter, *earlier: str, limit: CallLimit | None = None
) -> None:
    """Do what the due loop does with a due draft."""
    due: Any = work
    deps = WritingDependencies(
        writer,
        ANY_NUMBER,
        LettersInMemory(*earlier),
        RetryPolicy(timedelta(seconds=60), 3),
        limit or CallLimit(1, 64),
        DependencyHealth(patience=5, memory=300),
        # It reads nothing: the draft does not say when its follow-up fell due.
        WaitingWork(NO_DATABASE, DRAFTS, "requested"),
    )
    await write_draft(due, deps=deps)


async def written_by(writer: ScriptedWriter, *earlier: str) -> DraftEvent:
    """Return the one event that a due draft gets."""
    work = due_draft()
    await work_on(work, writer, *earlier)
    [event] = work.events
    return event


def failures() -> float:
    return float(FAILURES.labels("composition_failed")._value.get())


async def test_a_letter_that_is_fit_to_send_is_written_once() -> None:
    writer = ScriptedWriter(FIT)
    event = await written_by(writer)
    assert isinstance(event, EmailComposed)
    assert event.tokens == TOKENS
    [asked] = writer.requests
    assert asked.findings == ()


async def test_a_letter_that_is_not_is_written_once_more_with_the_findings_named() -> None:
    writer = ScriptedWriter(UNFIT, FIT)
    event = await written_by(writer)
    assert isinstance(event, EmailComposed)
    assert event.personal.body.startswith(FIT.body)
    assert event.tokens == TokensUsed(prompt=200, completion=20)
    found = {finding.flag: finding.excerpt for finding in writer.requests[1].findings}
    assert found == {"placeholder": "[Client Name]", "price": "costs $90,000"}


async def test_after_one_rewrite_it_waits_for_a_person() -> None:
    writer = ScriptedWriter(UNFIT, UNFIT)
    event = await written_by(writer)
    assert isinstance(event, CompositionFailed)
    assert event.flags == ("placeholder", "price")
    assert event.personal
    assert event.personal.letter.body.startswith(UNFIT.body)
    assert event.tokens == TokensUsed(prompt=200, completion=20)
    assert len(writer.requests) == 2


async def test_a_sentence_that_the_client_has_read_is_written_once_more() -> None:
    writer = ScriptedWriter(
        FIT, Composition(subject="Hello", body="Hi Maria,\n\nis there anything new?")
    )
    event = await written_by(writer, "Hi Maria,\n\nHow are the plans for the land going?\n\nDana")
    assert isinstance(event, EmailComposed)
    assert event.personal.subject == "Hello"
    first, second = writer.requests
    assert [letter.subject for letter in first.earlier] == ["Hello"]
    assert [finding.flag for finding in second.findings] == ["repetition"]


@pytest.mark.parametrize("final", [True, False])
async def test_a_rewrite_that_fails_is_a_failed_attempt(final: bool) -> None:
    event = await written_by(ScriptedWriter(UNFIT, CallFailed("503", final=final)))
    assert isinstance(event, CompositionFailed if final else CompositionAttemptFailed)
    assert event.error == "503"


class DiscardingWriter(ScriptedWriter):
    """Writes a draft that is discarded meanwhile."""

    def __init__(self, draft: DraftInMemory, *answers: Composition | CallFailed) -> None:
        super().__init__(*answers)
        self._draft = draft

    async def write(self, request: CompositionRequest) -> Written:
        self._draft.state = evolve(self._draft.state, DISCARDED)
        return await super().write(request)


@pytest.mark.parametrize(
    "answers", [[FIT], [UNFIT, UNFIT], [CallFailed("503")], [CallFailed("401", final=True)]]
)
async def test_a_draft_that_is_discarded_during_the_call_is_neither_composed_nor_failed(
    answers: list[Composition | CallFailed],
) -> None:
    work, before = due_draft(), failures()
    writer = DiscardingWriter(work, *answers)
    with pytest.raises(Refused, match="already discarded"):
        await work_on(work, writer)
    assert work.events == []
    # Nor is it written once more.
    assert len(writer.requests) == 1
    assert failures() == before


async def test_no_log_line_holds_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    await written_by(ScriptedWriter(UNFIT, UNFIT))
    printed = "".join(capsys.readouterr())
    assert "placeholder" in printed
    for private in ("Client Name", "90,000", "Maria"):
        assert private not in printed


async def test_a_provider_that_has_too_many_calls_is_waited_for_and_no_attempt_counts() -> None:
    work = due_draft()
    with pytest.raises(TryLater) as later:
        await work_on(work, ScriptedWriter(Throttled("429", retry_after=7)))
    assert later.value.after == 7
    assert work.events == []


async def test_while_the_provider_is_away_a_draft_waits_and_no_attempt_counts() -> None:
    work = due_draft()
    with pytest.raises(TryLater) as later:
        await work_on(work, ScriptedWriter(ProviderAway("401", final=True, retry_after=9)))
    assert later.value.after == 9
    assert work.events == []


async def test_once_it_is_known_to_be_away_it_is_told_that_the_draft_waits() -> None:
    work, limit = due_draft(), CallLimit(1, 64)
    for _ in range(3):
        with pytest.raises(ProviderAway):
            async with limit.call():
                raise ProviderAway("no connection")
    await work_on(work, ScriptedWriter(ProviderAway("503", retry_after=9)), limit=limit)
    [event] = work.events
    assert isinstance(event, DraftPostponed)
    assert event.reason == "provider_away"
    assert event.until - event.postponed_at >= timedelta(seconds=8.9)
    assert work.state.attempts == 0


async def test_after_a_day_of_it_an_attempt_counts() -> None:
    work, given_up = due_draft(), CallLimit(1, 64, give_up=0)
    with pytest.raises(ProviderAway):
        async with given_up.call():
            raise ProviderAway("no connection")
    await work_on(work, ScriptedWriter(ProviderAway("503")), limit=given_up)
    [event] = work.events
    assert isinstance(event, CompositionAttemptFailed)
    assert event.attempt == 1
