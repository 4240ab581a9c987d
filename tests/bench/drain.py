"""One run of the whole system: 2,000 first follow-ups fall due and go out."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import AsyncMongoClient

from chassis.mongo.client import Raw, connect
from tests.bench import clients, cpu
from tests.bench.results import Drained, InvalidRun, seconds_between
from tests.providers.running import FakeProvider
from tests.servers import Server
from tests.system import provider_settings, system

_LOOK_SECONDS = 0.5
_BEFORE_DUE = timedelta(seconds=0.3)


class Delay(NamedTuple):
    """How long the model and the mail provider take to answer, in milliseconds."""

    model_ms: int
    mail_ms: int

    @classmethod
    def of(cls, text: str) -> "Delay":
        """Read `50`, both, or `2000/150`, model and mail. Raises InvalidRun."""
        model, _, mail = text.partition("/")
        try:
            return cls(int(model), int(mail or model))
        except ValueError:
            raise InvalidRun(f"DELAYS: {text!r} is neither 50 (both, in ms) nor 2000/150") from None

    def __str__(self) -> str:
        same = self.model_ms == self.mail_ms
        return f"{self.model_ms} ms" if same else f"{self.model_ms}/{self.mail_ms} ms"


@dataclass(frozen=True)
class BenchSetup:
    """The servers, providers and parameters of a run."""

    kafka: Server
    mongodb: Server
    openai: FakeProvider
    sendgrid: FakeProvider
    folder: Path
    count: int
    delay: Delay


async def drain(setup: BenchSetup) -> Drained:
    """Plan, wait for the first date, and measure until every email is accepted and shown.

    Raises InvalidRun when the run proves nothing or an email is missing or was sent twice.
    """
    day = timedelta(seconds=20 + setup.count / 50)
    environment = provider_settings(setup.openai, setup.sendgrid) | {
        "FOLLOWUP_DAY_SECONDS": str(day.total_seconds()),
        # All clients are one agent's.
        "LETTERS_PER_DAY": "0",
    }
    async with (
        connect(setup.mongodb.address) as mongodb,
        system(
            setup.folder / "services",
            setup.kafka,
            setup.mongodb,
            prefix=clients.PREFIX,
            environment=environment,
        ),
    ):
        await clients.create(setup.kafka.address, setup.count)
        first = await clients.planned(mongodb, setup.count, day)
        await asyncio.sleep(seconds_between(datetime.now(UTC), first - _BEFORE_DUE))
        before = cpu.seconds()
        await _all_sent(mongodb, setup.count, until=first + 2 * day)
        used = cpu.between(before, cpu.seconds())
        due = await _due_dates(mongodb)
    return _drained(setup, due, used)


async def _all_sent(mongodb: AsyncMongoClient[Raw], count: int, until: datetime) -> None:
    tasks = mongodb["realtoros_gateway"]["tasks"]
    sent = {"agent_id": clients.AGENT, "status": "sent"}
    while (number := await tasks.count_documents(sent)) < count:
        if datetime.now(UTC) > until:
            raise InvalidRun(f"only {number} of {count} were sent when the second date came")
        await asyncio.sleep(_LOOK_SECONDS)


async def _due_dates(mongodb: AsyncMongoClient[Raw]) -> dict[str, datetime]:
    """Return when each first follow-up was due, by id."""
    wanted = {"agent_id": clients.AGENT, "followup_type": "Day 1"}
    found = mongodb["realtoros_gateway"]["tasks"].find(wanted, {"scheduled_for": 1})
    return {str(raw["_id"]): raw["scheduled_for"] async for raw in found}


def _drained(setup: BenchSetup, due: dict[str, datetime], used: dict[str, float]) -> Drained:
    accepted = accepted_at(setup.sendgrid.ledger())
    if accepted.keys() != due.keys() or len(due) != setup.count:
        raise InvalidRun(
            f"{len(accepted)} of {len(due)} follow-ups were accepted, {setup.count} asked"
        )
    return Drained(
        title=f"RealtorOS, {setup.delay}",
        count=setup.count,
        seconds=seconds_between(min(due.values()), max(accepted.values())),
        cpu=used,
        waits=[seconds_between(due[id_], at) for id_, at in accepted.items()],
    )


def accepted_at(ledger: Sequence[dict[str, Any]]) -> dict[str, datetime]:
    """Return when the provider accepted each follow-up. Raises InvalidRun when it did so twice."""
    times = Counter(entry["custom_args"]["followup_id"] for entry in ledger)
    if twice := [id_ for id_, number in times.items() if number > 1]:
        raise InvalidRun(f"{len(twice)} follow-ups were sent more than once, {twice[0]} among them")
    return {
        entry["custom_args"]["followup_id"]: datetime.fromisoformat(entry["at"]) for entry in ledger
    }
