"""`realtoros demo`: leads from a CSV, and the progress of their five follow-ups, live."""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live

from ops import accounts
from ops.api_client.client import ApiClient
from ops.api_client.lead_import import Imported, import_leads, read_leads
from ops.demo import board, reset
from ops.demo.progress import Progress
from ops.errors import ApiUnavailable, OperatorError
from ops.local.supervisor import Say, System, running_system
from services.gateway.leads.parsing import Lead

SAMPLE = Path(__file__).parent / "samples" / "leads.csv"
# Month 1 comes after one minute; polled often enough to keep up.
COMPRESSED = {"FOLLOWUP_DAY_SECONDS": "2", "SCHEDULER_POLL_SECONDS": "0.5"}
_LAST_DAY = 30
_POLL_SECONDS = 0.7
# What `--once` allows beyond the last due date: three attempts with their pauses, a slow machine.
_EXTRA_SECONDS = 600.0
_SECONDS_PER_LEAD = 0.5


async def demo(
    file: Path,
    folder: Path,
    environment: Mapping[str, str],
    *,
    once: bool,
    fresh: bool,
    console: Console,
) -> int:
    """Run everything, import the leads and show their follow-ups until all are settled.

    With `once` it ends then, or when it takes too long: it returns 0 if every follow-up is sent,
    else 1, and names the others. Without `once` it runs until it is cancelled, and says by which
    link the dashboard shows it. With `fresh` the data of an earlier demo is deleted first.
    """

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    leads = _leads_of(file, say)
    settings = COMPRESSED | {name: value for name, value in environment.items() if value}
    limit = _limit(settings["FOLLOWUP_DAY_SECONDS"], len(leads)) if once else float("inf")
    if fresh:
        await reset.delete_data(folder, environment)
    if environment.get("KAFKA_BOOTSTRAP_SERVERS") or environment.get("MONGODB_URI"):
        say("The demo adds its clients to the data on the servers that the environment names.")
    async with (
        running_system(folder, settings, say) as system,
        ApiClient(system.url, system.api_key) as api,
    ):
        imported = await import_leads(api, leads)
        for complaint in imported.complaints:
            say(f"{file.name}, {complaint}")
        say(f"{file.name}: {imported.summary()}. The API is at {system.url}")
        if not once:
            await _say_dashboard(system, api, say)
        progress = Progress(api, imported.present)
        with _display(progress, console, say) as show:
            await _watch(progress, show, say, limit)
        _report_result(progress, imported, system, say)
        missing = board.unsent(progress.rows)
        for followup in missing:
            print(f"not sent: {followup}", file=sys.stderr, flush=True)  # noqa: T201
        if once:
            return 1 if missing else 0
        await _say_dashboard(system, api, say)
        say("Ctrl-C to stop")
        await asyncio.Event().wait()
    return 0


def _leads_of(file: Path, say: Say) -> list[Lead]:
    """Return the leads who may be written to. Raises OperatorError when there is none."""
    parsed = read_leads(file)
    for complaint in parsed.complaints:
        say(f"{file.name}, {complaint}")
    leads = [lead for lead in parsed.leads if not lead.suppressed]
    if left_out := len(parsed.leads) - len(leads):
        say(f"{file.name}: {left_out} want no emails, and are left out")
    if not leads:
        raise OperatorError(f"{file} has no valid lead: correct the lines above")
    return leads


async def _say_dashboard(system: System, api: ApiClient, say: Say) -> None:
    """Say where the dashboard is, if it is there: by a link that logs in as who has the leads."""
    if system.dashboard:
        email, uri = await api.login(), system.servers.mongodb
        link = await accounts.add_login_link(uri, email, system.dashboard)
        say(f"The dashboard (this link logs you in once, within ten minutes): {link}")


def _limit(day: str, count: int) -> float:
    """Return the seconds in which everything should be sent, even on a slow machine."""
    try:
        return float(day) * _LAST_DAY + _EXTRA_SECONDS + count * _SECONDS_PER_LEAD
    except ValueError:
        raise OperatorError(f"FOLLOWUP_DAY_SECONDS is “{day}”: set it to a number") from None


async def _watch(progress: Progress, show: Callable[[], None], say: Say, limit: float) -> None:
    """Refresh and show until everything is settled or `limit` seconds are over."""
    reported = ""
    while progress.elapsed < limit:
        began = time.monotonic()
        try:
            await progress.refresh()
            reported = ""
        except ApiUnavailable as error:
            # The supervisor may be restarting the gateway.
            if str(error) != reported:
                reported = str(error)
                say(reported)
        show()
        if progress.is_settled:
            return
        # With many leads a refresh takes long: leave the gateway time for other work.
        await asyncio.sleep(max(_POLL_SECONDS, 2 * (time.monotonic() - began)))


@contextlib.contextmanager
def _display(progress: Progress, console: Console, say: Say) -> Iterator[Callable[[], None]]:
    """Yield what shows the progress: the board in a terminal, else a line at each change."""
    if not console.is_terminal or console.is_dumb_terminal:
        shown: list[object] = []

        def show_line() -> None:
            counts = board.count_by_status(progress.rows)
            if shown != [counts]:
                shown[:] = [counts]
                say(progress.summary_line())

        yield show_line
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:

        def show_board() -> None:
            live.update(progress.render(*console.size), refresh=True)

        yield show_board


def _report_result(progress: Progress, imported: Imported, system: System, say: Say) -> None:
    counts = board.count_by_status(progress.rows)
    total = sum(counts.values())
    if not imported.added and progress.was_settled_at_start:
        say("An earlier demo sent them all; `realtoros demo --fresh` starts from scratch.")
    say(f"\n{counts['sent']} of {total} follow-ups sent")
    for line in system.describe():
        say(f"  {line}")
