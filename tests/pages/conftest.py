"""One system that serves the built pages, one Chromium, and an agent for each test."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.pages.acts import SECONDS
from tests.pages.site import Site, chromium, log_in, serving_pages
from tests.pages.watched import watched
from tests.servers import Server
from tests.services.gateway.users import Person, person
from tests.system import drop_databases


@pytest.fixture(autouse=True)
def patience() -> None:
    """Whatever is waited for may take as long as on a slow machine."""
    expect.set_options(timeout=SECONDS)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for the whole run."""
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
async def site(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """All five services, for all tests of the pages; each test has agents of its own."""
    await drop_databases(mongodb_server)
    async with serving_pages(kafka, mongodb_server, tmp_path_factory.mktemp("pages")) as site:
        yield site


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
