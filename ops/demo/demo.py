"""`realtoros demo`: leads from a CSV, and each one's five follow-ups on their way, live."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live

from ops.api_client.client import ApiClient
from ops.api_client.lead_import import Imported, import_leads, read_leads
from ops.demo import board, reset
from ops.demo.progress import Progress
from ops.errors import Away, OperatorError
from ops.local.supervisor import Say, System, running_system

SAMPLE = Path(__file__).parent / "samples" / "leads.csv"
# So short that Month 1 is one minute away, and looked for often enough to be seen coming.
COMPRESSED = {"FOLLOWUP_DAY_SECONDS": "2", "SCHEDULER_POLL_SECONDS": "0.5"}
_LAST_DAY = 30
_POLL_SECONDS = 0.7
# What `--once` allows beyond the last due date: three attempts with their pauses, a slow machine.
_SPARE_SECONDS = 600.0
_ANY_LEAD_SECONDS = 0.5


async def demo(
    file: Path,
    folder: Path,
    environment: Mapping[str, str],
    *,
    once: bool,
    fresh: bool,
    console: Console,
) -> int:
    """Run everything, import the leads and show what happens until all is settled.

    With `once` it ends then, or when it takes too long: with exit code 0 if every follow-up is
    sent, else 1, and names the others. Without it goes on until it is cancelled. With `fresh`
    nothing is left of an earlier demo.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    parsed = read_leads(file)
    for complaint in parsed.complaints:
        say(f"{file.name}, {complaint}")
    if not parsed.leads:
        raise OperatorError(f"{file} has no lead that could be imported")
    settings = COMPRESSED | {name: value for name, value in environment.items() if value}
    limit = _limit(settings["FOLLOWUP_DAY_SECONDS"], len(parsed.leads)) if once else float("inf")
    if fresh:
        await reset.empty(folder, environment)
    if environment.get("KAFKA_BOOTSTRAP_SERVERS") or environment.get("MONGODB_URI"):
        say(
            "The demo's clients go to the servers that the environment names, beside what is there."
        )
    async with (
        running_system(folder, settings, say) as system,
        ApiClient(system.url, system.access.key) as api,
    ):
        imported = await import_leads(api, parsed.leads)
        for complaint in imported.complaints:
            say(f"{file.name}, {complaint}")
        say(f"{file.name}: {imported.summary()}. The API is at {system.url}")
        progress = Progress(api, imported.taken)
        with _display(progress, console, say) as show:
            await _watch(progress, show, say, limit)
        _conclude(progress, imported, system, say)
        missing = board.unsent(progress.rows)
        for followup in missing:
            print(f"not sent: {followup}", file=sys.stderr, flush=True)  # noqa: T201
        if once:
            return 1 if missing else 0
        say("Ctrl-C to stop")
        await asyncio.Event().wait()
    return 0


def _limit(day: str, count: int) -> float:
    """Give the seconds in which everything should be sent, however slow the machine."""
    try:
        return float(day) * _LAST_DAY + _SPARE_SECONDS + count * _ANY_LEAD_SECONDS
    except ValueError:
        raise OperatorError(f"FOLLOWUP_DAY_SECONDS is “{day}”: it must be a number") from None


async def _watch(progress: Progress, show: Callable[[], None], say: Say, limit: float) -> None:
    """Look and show until everything is settled or `limit` seconds are over."""
    away = ""
    while progress.elapsed < limit:
        began = time.monotonic()
        try:
            await progress.look()
            away = ""
        except Away as error:
            # The gateway may be on its way up again; the supervisor sees to that.
            if str(error) != away:
                away = str(error)
                say(away)
        show()
        if progress.is_settled:
            return
        # With many leads a look takes long: it should not keep the gateway busy all the time.
        await asyncio.sleep(max(_POLL_SECONDS, 2 * (time.monotonic() - began)))


@contextlib.contextmanager
def _display(progress: Progress, console: Console, say: Say) -> Iterator[Callable[[], None]]:
    """Give what shows the progress: a picture in a terminal, else a line at each change."""
    if not console.is_terminal or console.is_dumb_terminal:
        shown: list[object] = []

        def show_line() -> None:
            counts = board.counted(progress.rows)
            if shown != [counts]:
                shown[:] = [counts]
                say(progress.line())

        yield show_line
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:

        def show_picture() -> None:
            live.update(progress.picture(*console.size), refresh=True)

        yield show_picture


def _conclude(progress: Progress, imported: Imported, system: System, say: Say) -> None:
    counts = board.counted(progress.rows)
    total = sum(counts.values())
    if not imported.added and progress.was_settled_at_first:
        say("An earlier run left nothing to do; `realtoros demo --fresh` begins anew.")
    say(f"\n{counts['sent']} of {total} follow-ups sent")
    for line in system.described():
        say(f"  {line}")
