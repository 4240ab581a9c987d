"""The dashboard in Chromium, on a slow line and a slow CPU: how soon it shows what."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4

from playwright.async_api import Browser, BrowserContext, Page, expect
from rich.console import Console

from chassis.mongo.client import connect
from tests import servers
from tests.bench.results import InvalidRun
from tests.bench.seeded_views import DATABASE, fill
from tests.pages.acts import HIDE
from tests.pages.site import Site, chromium, log_in, serving_pages
from tests.services.gateway.users import Person, person
from tests.writes import carried_out

LATENCY_MS, BYTES_PER_SECOND, SLOWER_CPU = 100, 9_000_000 / 8, 4
LOADS, CLICKS, SENT_EACH = 8, 60, 10
SCREENS = {
    "Today": "/",
    "Clients": "/clients/",
    "Follow-ups": "/followups/",
    "Calendar": "/followups/?view=month",
    "Emails": "/emails/",
    "Client": "/client/?id={client}",
    "Settings": "/settings/",
}
_VITALS = Path(__file__).with_name("vitals.js").read_text()
_SETTLED_SECONDS = 30
_MEGABYTE = 1024 * 1024


@dataclass
class _Views:
    """What views of one screen have measured: milliseconds, but `cls`."""

    lcp: list[float] = field(default_factory=list)
    cls: list[float] = field(default_factory=list)
    inp: list[float] = field(default_factory=list)


async def pages(console: Console, folder: Path) -> None:
    """Measure over COUNT clients (10,000), be idle for MINUTES (30), and print it all.

    Raises InvalidRun when the page does not show what it should.
    """
    count, minutes = int(os.environ.get("COUNT") or 10_000), float(os.environ.get("MINUTES") or 30)
    async with (
        servers.kafka() as kafka,
        servers.mongodb() as mongodb,
        serving_pages(kafka, mongodb, folder) as site,
        chromium() as browser,
        person(site.url) as agent,
        connect(mongodb.address) as client,
    ):
        agent_id = UUID((await agent.http.get("/api/agents/me")).json()["id"])
        await fill(client[DATABASE], agent_id, count, 5 * count)
        console.print(
            f"{count:,} clients; {LATENCY_MS} ms, {BYTES_PER_SECOND * 8 / 1e6:.0f} Mbit/s,"
            f" CPU {SLOWER_CPU} times slower; {os.cpu_count()} cores for all,"
            f" load {os.getloadavg()[0]:.1f}"
        )
        expect.set_options(timeout=60_000)
        await _print_views(console, browser, site, agent)
        await _print_clicks(console, browser, site, agent)
        await _print_sent(console, browser, site, agent)
        await _print_idle(console, browser, site, agent, minutes)


@contextlib.asynccontextmanager
async def _opened(browser: Browser, site: Site, agent: Person) -> AsyncIterator[BrowserContext]:
    """Open a browser with nothing cached, in which the agent is logged in."""
    size: Any = {"width": 1440, "height": 900}
    async with await browser.new_context(base_url=site.url, viewport=size) as context:
        await log_in(context, agent)
        yield context


async def _slow_page(context: BrowserContext) -> Page:
    page = await context.new_page()
    await page.add_init_script(_VITALS)
    cdp = await context.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_SECOND,
            "uploadThroughput": BYTES_PER_SECOND,
        },
    )
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
    return page


async def _print_views(console: Console, browser: Browser, site: Site, agent: Person) -> None:
    [client] = (await agent.http.get("/api/clients?limit=1")).json()
    everywhere = _Views()
    for name, path in SCREENS.items():
        views = _Views()
        for _ in range(LOADS):
            async with _opened(browser, site, agent) as context:
                page = await _slow_page(context)
                await page.goto(path.format(client=client["_id"]))
                await _loaded(page)
                await _use(page, name)
                await _take(page, views)
        console.print(_line(name, views))
        for kind in ("lcp", "cls", "inp"):
            getattr(everywhere, kind).extend(getattr(views, kind))
    console.print(_line("all", everywhere))


async def _loaded(page: Page) -> None:
    await page.evaluate("loaded()")


async def _use(page: Page, screen: str) -> None:
    """Do what is done there all day; every key and click is an interaction.

    What is used is found by CSS: to find it by its role takes the page's own time.
    """
    if screen == "Clients":
        await _type(page, "main input[type=search]", "maria")
        await _loaded(page)
        await page.locator("thead input[type=checkbox]").click()
        await page.locator("main button[aria-keyshortcuts=n]").click()
        await _type(page, "dialog input[name=name]", "Ana Flores")
        await page.keyboard.press("Escape")
    elif screen == "Client":
        await page.locator("header button", has_text="Edit").click()
        await _type(page, "dialog textarea", "Likes gardens.")
        await page.keyboard.press("Escape")
    elif screen == "Calendar":
        await page.locator("button[aria-label='Next month']").click()
        await _loaded(page)
    elif screen == "Emails":
        await page.locator("tbody button").first.click()
        await _loaded(page)
        await page.keyboard.press("Escape")
    elif screen == "Settings":
        await page.locator("main nav a", has_text="Sending").click()
        await _loaded(page)
    await page.keyboard.press("Control+k")
    await _type(page, "dialog input", "noor")
    await page.keyboard.press("Escape")
    await asyncio.sleep(0.5)


async def _type(page: Page, field: str, text: str) -> None:
    await page.locator(field).first.press_sequentially(text, delay=80)
    # What was typed may be asked for.
    await asyncio.sleep(0.5)


async def _take(page: Page, views: _Views) -> None:
    vitals = await page.evaluate("vitals")
    views.lcp.append(vitals["lcp"])
    views.cls.append(vitals["cls"])
    views.inp.append(max(vitals["interactions"].values(), default=0))


def _line(name: str, views: _Views) -> str:
    lcp, cls, inp = (_percentile(values, 75) for values in (views.lcp, views.cls, views.inp))
    return (
        f"{name}: LCP {lcp:.0f} ms, INP {inp:.0f} ms, CLS {cls:.3f}"
        f" (p75 of {len(views.lcp)} views; slowest {max(views.inp):.0f} ms)"
    )


async def _print_clicks(console: Console, browser: Browser, site: Site, agent: Person) -> None:
    async with _opened(browser, site, agent) as context:
        page = await _slow_page(context)
        await page.goto("/clients/")
        await _loaded(page)
        measured = []
        for number in range(CLICKS):
            # Pages, an order, a stage: in turn.
            name = ("Next", "Next", "Previous", "Name", "Lead", "Lead")[number % 6]
            waiting = asyncio.ensure_future(page.evaluate("rowsAfterClick()"))
            await page.locator("main button", has_text=name).first.click()
            measured.append(await waiting)
    took, tasks = zip(*measured, strict=True)
    console.print(
        f"click to rows: p50 {_percentile(took, 50):.0f} ms, p95 {_percentile(took, 95):.0f} ms of"
        f" {CLICKS}; longest task {max(tasks):.0f} ms, {sum(task > 50 for task in tasks)} over 50"
    )


async def _print_sent(console: Console, browser: Browser, site: Site, agent: Person) -> None:
    async with _opened(browser, site, agent) as context:
        for way in ("live", "polling"):
            page = await _slow_page(context)
            if way == "polling":
                await page.route("**/api/events", lambda route: route.abort())
            delays = [await _sent_delay(page, agent) for _ in range(SENT_EACH)]
            console.print(
                f'"Sent ✓" after the view has it, {way}: p50 {_percentile(delays, 50):.2f} s,'
                f" longest {max(delays):.2f} s of {SENT_EACH}"
            )
            await page.close()


async def _sent_delay(page: Page, agent: Person) -> float:
    """Return the seconds from when the view has a follow-up as sent until the page shows it."""
    body = {"name": "Ana Flores", "email": f"{uuid4().hex[:12]}@mail.example.com"}
    client = (await carried_out(agent.http, "/api/clients", body)).json()["client_id"]
    tasks = f"/api/clients/{client}/tasks"
    [first] = [
        task for task in (await agent.http.get(tasks)).json() if task["followup_type"] == "Day 1"
    ]
    await page.goto(f"/client/?id={client}")
    await _loaded(page)
    shown = asyncio.ensure_future(page.evaluate("shownAt('Day 1: Sent ✓')"))
    await agent.http.patch(f"/api/tasks/{first['_id']}", json={"send_now": True})
    async with asyncio.timeout(60):
        while (await agent.http.get(f"/api/tasks/{first['_id']}")).json()["status"] != "sent":
            await asyncio.sleep(0.02)
        stored = time.time()
        return max(0.0, float(await shown) - stored)


async def _print_idle(
    console: Console, browser: Browser, site: Site, agent: Person, minutes: float
) -> None:
    asked: list[str] = []
    async with _opened(browser, site, agent) as context:
        hidden, page = await context.new_page(), await context.new_page()
        for tab in (hidden, page):
            await tab.add_init_script(_VITALS)
        await hidden.goto("/")
        await _loaded(hidden)
        await hidden.evaluate(HIDE)
        await page.goto("/")
        await _loaded(page)
        await asyncio.sleep(_SETTLED_SECONDS)
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        hidden.on("request", lambda request: asked.append(request.url))
        before = await _heap(context, page)
        await asyncio.sleep(60 * minutes)
        grown = await _heap(context, page) - before
        if not await page.get_by_text("Live", exact=True).is_visible():
            raise InvalidRun("the page is not live any more")
    console.print(
        f"{minutes:g} idle minutes on Today: heap {before / _MEGABYTE:.1f} MB"
        f" {grown / _MEGABYTE:+.1f} MB; a hidden tab has sent {len(asked)} requests"
    )


async def _heap(context: BrowserContext, page: Page) -> float:
    """Return the bytes that the page's scripts hold, after collecting what they do not."""
    cdp = await context.new_cdp_session(page)
    for _ in range(3):
        await cdp.send("HeapProfiler.collectGarbage")
    used = await cdp.send("Runtime.getHeapUsage")
    await cdp.detach()
    return float(used["usedSize"])


def _percentile(values: Any, percent: int) -> float:
    return float(quantiles(values, n=100, method="inclusive")[percent - 1])
