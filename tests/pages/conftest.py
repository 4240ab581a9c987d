"""One system that serves the built pages, one Chromium, and an agent for each test."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from services.gateway.http.own_pages import CSRF_HEADER
from tests.architecture.rooms import ROOT
from tests.pages.watched import watched
from tests.providers.running import FakeProvider, provider
from tests.servers import Server
from tests.services.gateway.users import PASSWORD, Person, person
from tests.system import Running, drop_databases, new_prefix, provider_settings, system

PAGES = ROOT / "frontend/out"


@dataclass(frozen=True)
class Site:
    """The running system: `url` is the dashboard's; the providers are fakes."""

    url: str
    running: Running
    mongodb: str
    openai: FakeProvider
    sendgrid: FakeProvider


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, for the whole run."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium)
        yield browser
        await browser.close()


@pytest.fixture(scope="package")
async def site(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """All five services, for all tests of the pages; each test has agents of its own."""
    if not (PAGES / "index.html").is_file():
        pytest.fail("the pages are not built: make pages")
    await drop_databases(mongodb_server)
    folder = tmp_path_factory.mktemp("pages")
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
                mongodb_server,
                prefix=new_prefix(),
                environment=environment,
                service_environments={"gateway": gateway},
            )
        )
        yield Site(running.api[0], running, mongodb_server.address, openai, sendgrid)


@pytest.fixture
async def agent(site: Site) -> AsyncIterator[Person]:
    """A new agent; its `http` is another client of the API, for what a test has to find there."""
    async with person(site.url) as agent:
        yield agent


@pytest.fixture
def violations() -> list[str]:
    """What the test's pages have done and may not do. What a test provokes it takes out."""
    return []


@pytest.fixture
async def context(
    browser: Browser, site: Site, violations: list[str]
) -> AsyncIterator[BrowserContext]:
    """A browser of this test's own in which nobody is logged in."""
    async with watched(browser, site.url, violations) as context:
        yield context
    assert not violations, "\n".join(violations)


@pytest.fixture
async def page(context: BrowserContext, agent: Person) -> Page:
    """An empty page of the browser, in which the agent is logged in."""
    await log_in(context, agent)
    return await context.new_page()


async def log_in(context: BrowserContext, agent: Person) -> None:
    """Log the agent in: the browser has the cookie of a new session."""
    answer = await context.request.post(
        "/api/auth/session",
        data={"email": agent.email, "password": PASSWORD},
        headers={CSRF_HEADER: "1", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status == 204, await answer.text()
