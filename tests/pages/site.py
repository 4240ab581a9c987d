"""The whole system with the built pages, and browsers to use it by."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, async_playwright

from services.gateway.http.own_pages import CSRF_HEADER
from tests.architecture.rooms import ROOT
from tests.providers.running import FakeProvider, provider
from tests.servers import Server
from tests.services.gateway.users import PASSWORD, Person
from tests.system import Running, new_prefix, provider_settings, system

PAGES = ROOT / "frontend/out"


@dataclass(frozen=True)
class Site:
    """The running system: `url` is the dashboard's; the providers are fakes."""

    url: str
    running: Running
    mongodb: str
    openai: FakeProvider
    sendgrid: FakeProvider


@contextlib.asynccontextmanager
async def serving_pages(kafka: Server, mongodb: Server, folder: Path) -> AsyncIterator[Site]:
    """Run all five services, the gateway with the pages. Raises FileNotFoundError without them."""
    if not (PAGES / "index.html").is_file():
        raise FileNotFoundError("the pages are not built: make pages")
    async with contextlib.AsyncExitStack() as stack:
        openai = await stack.enter_async_context(provider("openai", folder, delay_ms=20))
        sendgrid = await stack.enter_async_context(provider("sendgrid", folder, delay_ms=20))
        environment = provider_settings(openai, sendgrid) | {
            "REGISTRATION": "true",
            "SCHEDULER_POLL_SECONDS": "0.5",
        }
        # Letters have links to an address of https; the cookie is of the one that is served.
        gateway = {"PAGES_DIR": str(PAGES), "PUBLIC_URL": "http://localhost:8000"}
        running = await stack.enter_async_context(
            system(
                folder,
                kafka,
                mongodb,
                prefix=new_prefix(),
                environment=environment,
                service_environments={"gateway": gateway},
            )
        )
        yield Site(running.api[0], running, mongodb.address, openai, sendgrid)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Debian's Chromium without a window. Raises FileNotFoundError where there is none."""
    program = shutil.which("chromium")
    if program is None:
        raise FileNotFoundError("Chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program)
        yield browser
        await browser.close()


async def log_in(context: BrowserContext, agent: Person) -> None:
    """Log the agent in: the browser has the cookie of a new session."""
    answer = await context.request.post(
        "/api/auth/session",
        data={"email": agent.email, "password": PASSWORD},
        headers={CSRF_HEADER: "1", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status == 204, await answer.text()
