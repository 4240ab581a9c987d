"""The chaos run: load and faults side by side, then calm, then the verdict.

`python -m tests.faults.chaos` reads from the environment MINUTES of bad weather (3), FOLLOWUPS
(300 a minute), SEED (drawn and printed; the same seed draws the same schedule) and TEST_KAFKA
(`apache`: two replicas of every service on Apache Kafka). Exit code 1 on any anomaly; the folder
with the logs is kept then.
"""

import asyncio
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rich.console import Console

from chassis.inbox.inbox import SESSION_MS
from tests.faults.chaos.delivery_reports import Reports
from tests.faults.chaos.environment import Surroundings, surroundings
from tests.faults.chaos.fault_schedule import Fault, Weather, counts, forecast
from tests.faults.chaos.fleet import RECOVERY_SECONDS, watched
from tests.faults.chaos.workload import Load
from tests.faults.checker.checker import check, settled
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.faults.checker.verdict import Kind, Verdict
from tests.system import new_prefix, system

_FOLLOWUPS_A_MINUTE = 300
_FOLLOWUPS_A_CLIENT = 5
_PLAN_DAYS = 30
# After the last date: refused calls are tried again, unanswered ones given up.
_SETTLING_SECONDS = 60.0
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Profile:
    """One run: `seconds` of bad weather; a day of the calendar lasts `day` seconds."""

    seed: int
    seconds: float
    followups: int
    apache: bool
    day: float = 0.5

    @property
    def faults(self) -> list[Fault]:
        """What happens."""
        return forecast(
            self.seed, self.seconds, replicas=self.replicas, kafka_has_proxy=self.apache
        )

    @property
    def clients(self) -> int:
        """How many are added."""
        return self.followups // _FOLLOWUPS_A_CLIENT

    @property
    def load_seconds(self) -> float:
        """How long clients are added, so that most plans are under way in bad weather."""
        return self.seconds * 0.8

    @property
    def plan_seconds(self) -> float:
        """How long a client's plan takes."""
        return _PLAN_DAYS * self.day

    @property
    def replicas(self) -> int:
        """How many of each service: groups of two get stuck on the embedded broker (ADR 5)."""
        return 2 if self.apache else 1


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `wrong` tells what speaks against it beside the verdict's anomalies."""

    weather: Weather
    acknowledged: Acknowledged
    verdict: Verdict
    wrong: list[str]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not (self.verdict.anomalies or self.wrong)


async def run(profile: Profile, folder: Path, say: Callable[[str], None]) -> Outcome:
    """Run all of it with its files in the folder. What does not start, or stop, raises."""
    prefix = new_prefix()
    async with surroundings(folder, apache=profile.apache) as around:
        mongodb, kafka = around.stores["mongodb"].server, around.stores["kafka"].server
        load = Load(profile.seed, profile.clients, profile.load_seconds, profile.plan_seconds)
        reports = Reports(around.sendgrid, profile.seed, load.acknowledged)

        async def history() -> History:
            return await read_history(
                kafka.address,
                prefix,
                mongodb.address,
                around.sendgrid.ledger_file,
                load.acknowledged,
                embedded=kafka.embedded,
            )

        async with system(
            folder,
            kafka,
            mongodb,
            prefix=prefix,
            replicas=profile.replicas,
            environment={
                **around.settings,
                "FOLLOWUP_DAY_SECONDS": str(profile.day),
                "SENDGRID_WEBHOOK_PUBLIC_KEY": reports.webhook.public_key,
            },
        ) as running:
            load.gateways = reports.gateways = running.api
            # Members with a name of their own are followed at once by who has it next.
            session = 0.0 if kafka.embedded else SESSION_MS / 1000
            async with watched(running, session_seconds=session) as fleet:
                weather = Weather(fleet, around.stores, around.proxies)
                say(f"{profile.seconds:.0f} s of bad weather begin")
                await _storm(profile, around, weather, load, reports)
                say("calm")
                await fleet.recovered(time.monotonic())
                await _until_settled(history, profile.plan_seconds + _SETTLING_SECONDS)
            wrong = [*fleet.wrong, *weather.wrong, *load.wrong, *reports.wrong, *_late(weather)]
        # Read when all is stopped: what a service does at its end counts, too.
        verdict = await asyncio.to_thread(check, await history())
    return Outcome(weather, load.acknowledged, verdict, wrong)


async def _storm(
    profile: Profile, around: Surroundings, weather: Weather, load: Load, reports: Reports
) -> None:
    """Load and faults side by side; afterwards everything behaves."""
    await around.misbehave(profile.seed)
    reporting = asyncio.create_task(reports.run())
    async with asyncio.TaskGroup() as both:
        both.create_task(weather.run(profile.faults))
        both.create_task(load.run())
    await around.behave()
    reports.finish()
    await reporting


async def _until_settled(history: Callable[[], Awaitable[History]], seconds: float) -> None:
    """Return when nothing more will happen, or in so many seconds: then the verdict says stuck."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await asyncio.to_thread(settled, await history()):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _late(weather: Weather) -> list[str]:
    return [
        f"ready again only {seconds:.1f} s after: {fault}"
        for fault, seconds in weather.recoveries.items()
        if seconds > RECOVERY_SECONDS
    ]


def report(profile: Profile, outcome: Outcome) -> list[str]:
    """Give the lines that tell what came of a run."""
    verdict, weather = outcome.verdict, outcome.weather
    carried_out = ", ".join(f"{n} {name}" for name, n in counts(weather.carried_out).items())
    kept = outcome.acknowledged
    clients = f"{len(kept.clients)} clients, {len(kept.deleted)} deletions"
    found = Counter(anomaly.kind for anomaly in verdict.anomalies)
    longest = max(weather.recoveries.values(), default=0.0)
    return [
        f"faults     {carried_out}; {weather.fleet.started_in_vain} starts in vain",
        f"promised   {clients}, {len(kept.opt_outs)} opt-outs",
        *(f"recovery   {s:5.1f} s after {fault}" for fault, s in weather.recoveries.items()),
        f"           {longest:.1f} s at most",
        *(f"unknown    {line}" for line in verdict.unknown),
        f"ends       {', '.join(f'{n} {end}' for end, n in verdict.ends.most_common())}",
        *(f"ANOMALY    {a.kind}: {a.about}: {a.detail}" for a in verdict.anomalies),
        *(f"WRONG      {line}" for line in outcome.wrong),
        f"SEED={profile.seed}  {verdict.ends.total()} follow-ups: "
        + ", ".join(f"{found[kind]} {kind}" for kind in get_args(Kind)),
    ]


def profile_of(environment: Mapping[str, str]) -> Profile:
    """Read what to run from the environment."""
    minutes = float(environment.get("MINUTES") or 3)
    seed = environment.get("SEED")
    return Profile(
        seed=int(seed) if seed else random.SystemRandom().randrange(10**6),
        seconds=minutes * 60,
        followups=int(environment.get("FOLLOWUPS") or minutes * _FOLLOWUPS_A_MINUTE),
        apache=environment.get("TEST_KAFKA") == "apache",
    )


def main() -> int:
    """Run once; give the exit code."""
    profile = profile_of(os.environ)
    say = Console(markup=False, highlight=False, soft_wrap=True).print
    say(f"SEED={profile.seed}")
    for fault in profile.faults:
        say(f"  {fault}")
    folder = Path(tempfile.mkdtemp(prefix="realtoros-chaos-"))
    try:
        outcome = asyncio.run(run(profile, folder, say))
    except BaseException:
        say(f"SEED={profile.seed}; the logs are in {folder}")
        raise
    say("\n".join(report(profile, outcome)))
    if outcome.passed:
        shutil.rmtree(folder)
        return 0
    say(f"the logs are in {folder}")
    return 1
