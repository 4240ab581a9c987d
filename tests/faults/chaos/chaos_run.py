"""The chaos run: a workload under injected faults, then recovery, then the verdict.

`python -m tests.faults.chaos` reads from the environment MINUTES of faults (3), FOLLOWUPS
(300 a minute), SEED (drawn and printed; a seed fixes the schedule) and TEST_KAFKA
(`apache`: two replicas of every service on Apache Kafka). Exit code 1 on any anomaly; then the
folder with the logs stays.
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
from datetime import timedelta
from pathlib import Path
from typing import get_args

from rich.console import Console

from chassis.inbox.subscriber import SESSION_MS
from tests.faults.chaos.delivery_reports import DeliveryReporter
from tests.faults.chaos.fault_injector import FaultInjector
from tests.faults.chaos.fault_schedule import Fault, counts, draw_schedule
from tests.faults.chaos.infrastructure import Infrastructure, infrastructure
from tests.faults.chaos.replica_supervisor import RECOVERY_SECONDS, supervised
from tests.faults.chaos.workload import Workload
from tests.faults.checker.checker import DailyLimit, check, settled
from tests.faults.checker.history import Acknowledged, History, read_history
from tests.faults.checker.verdict import Kind, Verdict
from tests.system import new_prefix, system

_FOLLOWUPS_A_MINUTE = 300
_FOLLOWUPS_A_CLIENT = 5
_PLAN_DAYS = 30
_EMAILS_A_DAY = 10
# Longer than any fault keeps the agent from approving.
_DRAFT_DAYS = 60
# After the last date: refused calls are tried again, unanswered ones given up.
_SETTLING_SECONDS = 60.0
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Profile:
    """One run: `seconds` of faults; a day of the calendar lasts `day` seconds."""

    seed: int
    seconds: float
    followups: int
    apache: bool
    day: float = 0.5

    @property
    def faults(self) -> list[Fault]:
        """The schedule of faults."""
        return draw_schedule(
            self.seed, self.seconds, replicas=self.replicas, kafka_has_proxy=self.apache
        )

    @property
    def clients(self) -> int:
        """How many clients are added."""
        return self.followups // _FOLLOWUPS_A_CLIENT

    @property
    def load_seconds(self) -> float:
        """How long clients are added, so that most plans run while faults are injected."""
        return self.seconds * 0.8

    @property
    def plan_seconds(self) -> float:
        """How long a client's plan takes."""
        return _PLAN_DAYS * self.day

    @property
    def daily_limit(self) -> DailyLimit:
        """How many emails the agent may send in a day: more wait, as after an outage."""
        return DailyLimit(_EMAILS_A_DAY, timedelta(seconds=self.day))

    @property
    def replicas(self) -> int:
        """How many of each service: groups of two get stuck on the embedded broker (ADR 5)."""
        return 2 if self.apache else 1


@dataclass(frozen=True)
class RunResult:
    """The result of a run; `violations` are failures other than the verdict's anomalies."""

    injector: FaultInjector
    acknowledged: Acknowledged
    verdict: Verdict
    violations: list[str]

    @property
    def passed(self) -> bool:
        """Whether there are no anomalies and no violations."""
        return not (self.verdict.anomalies or self.violations)


async def run(profile: Profile, folder: Path, report_progress: Callable[[str], None]) -> RunResult:
    """Run with all files in the folder. Raises when a process does not start or stop."""
    prefix = new_prefix()
    async with infrastructure(folder, apache=profile.apache) as infra:
        mongodb, kafka = infra.stores["mongodb"].server, infra.stores["kafka"].server
        load = Workload(profile.seed, profile.clients, profile.load_seconds, profile.plan_seconds)
        reporter = DeliveryReporter(infra.sendgrid, profile.seed, load.acknowledged, load.requests)

        async def history() -> History:
            return await read_history(
                kafka.address,
                prefix,
                mongodb.address,
                infra.sendgrid.ledger_file,
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
                **infra.settings,
                "FOLLOWUP_DAY_SECONDS": str(profile.day),
                "EMAILS_PER_DAY": str(profile.daily_limit.emails),
                "DRAFT_DAYS": str(_DRAFT_DAYS),
                "SENDGRID_WEBHOOK_PUBLIC_KEY": reporter.webhook.public_key,
            },
        ) as running:
            load.gateways = reporter.gateways = running.api
            # A named member is replaced at once by the next of its name.
            session = 0.0 if kafka.embedded else SESSION_MS / 1000
            async with supervised(running, session_seconds=session) as supervisor:
                injector = FaultInjector(supervisor, infra.stores, infra.proxies)
                report_progress(f"{profile.seconds:.0f} s of faults begin")
                async with asyncio.TaskGroup() as group:
                    approving = group.create_task(load.approve())
                    await _run_under_faults(profile, infra, injector, load, reporter)
                    report_progress("no more faults")
                    await supervisor.recovered(time.monotonic())
                    await _until_settled(history, profile.plan_seconds + _SETTLING_SECONDS)
                    approving.cancel()
            violations = [
                *supervisor.violations,
                *injector.violations,
                *load.violations,
                *reporter.violations,
                *_late_recoveries(injector),
            ]
        # Read when all is stopped, to include what services do while they stop.
        verdict = await asyncio.to_thread(check, await history(), daily_limit=profile.daily_limit)
    return RunResult(injector, load.acknowledged, verdict, violations)


async def _run_under_faults(
    profile: Profile,
    infra: Infrastructure,
    injector: FaultInjector,
    load: Workload,
    reporter: DeliveryReporter,
) -> None:
    """Run the workload while faults are injected; then clear the providers' faults."""
    await infra.inject_faults(profile.seed)
    reporting = asyncio.create_task(reporter.run())
    async with asyncio.TaskGroup() as group:
        group.create_task(injector.run(profile.faults))
        group.create_task(load.run())
    await infra.clear_faults()
    await reporter.finish(profile.plan_seconds)
    await reporting


async def _until_settled(history: Callable[[], Awaitable[History]], seconds: float) -> None:
    """Wait until the run is settled, at most so many seconds: then the verdict says stuck."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if await asyncio.to_thread(settled, await history()):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _late_recoveries(injector: FaultInjector) -> list[str]:
    return [
        f"ready again only {seconds:.1f} s after: {fault}"
        for fault, seconds in injector.recoveries.items()
        if seconds > RECOVERY_SECONDS
    ]


def report(profile: Profile, result: RunResult) -> list[str]:
    """Return the lines of the run's report."""
    verdict, injector = result.verdict, result.injector
    injected = ", ".join(f"{n} {name}" for name, n in counts(injector.injected).items())
    promised = result.acknowledged
    clients = f"{len(promised.clients)} clients, {len(promised.deleted)} deletions"
    stops = f"{len(promised.cancelled)} cancels, {len(promised.pauses)} pauses of all sending"
    found = Counter(anomaly.kind for anomaly in verdict.anomalies)
    longest = max(injector.recoveries.values(), default=0.0)
    return [
        f"faults     {injected}; {injector.supervisor.failed_starts} failed starts",
        f"promised   {clients}, {len(promised.opt_outs)} opt-outs, {stops}",
        *(f"recovery   {s:5.1f} s after {fault}" for fault, s in injector.recoveries.items()),
        f"           {longest:.1f} s at most",
        *(f"unknown    {line}" for line in verdict.unknown),
        f"ends       {', '.join(f'{n} {end}' for end, n in verdict.ends.most_common())}",
        *(f"ANOMALY    {a.kind}: {a.about}: {a.detail}" for a in verdict.anomalies),
        *(f"VIOLATION  {line}" for line in result.violations),
        f"SEED={profile.seed}  {verdict.ends.total()} follow-ups: "
        + ", ".join(f"{found[kind]} {kind}" for kind in get_args(Kind)),
    ]


def profile_of(environment: Mapping[str, str]) -> Profile:
    """Return the profile that the environment asks for."""
    minutes = float(environment.get("MINUTES") or 3)
    seed = environment.get("SEED")
    return Profile(
        seed=int(seed) if seed else random.SystemRandom().randrange(10**6),
        seconds=minutes * 60,
        followups=int(environment.get("FOLLOWUPS") or minutes * _FOLLOWUPS_A_MINUTE),
        apache=environment.get("TEST_KAFKA") == "apache",
    )


def main() -> int:
    """Run once; return the exit code."""
    profile = profile_of(os.environ)
    report_progress = Console(markup=False, highlight=False, soft_wrap=True).print
    report_progress(f"SEED={profile.seed}")
    for fault in profile.faults:
        report_progress(f"  {fault}")
    folder = Path(tempfile.mkdtemp(prefix="realtoros-chaos-"))
    try:
        result = asyncio.run(run(profile, folder, report_progress))
    except BaseException:
        report_progress(f"SEED={profile.seed}; the logs are in {folder}")
        raise
    report_progress("\n".join(report(profile, result)))
    if result.passed:
        shutil.rmtree(folder)
        return 0
    report_progress(f"the logs are in {folder}")
    return 1
