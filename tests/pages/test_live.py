"""How open pages keep up: by the stream, by asking, and over interruptions."""

from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, Request, expect

from tests.pages.acts import HIDE, SHOW, add_client, choose, fill_new_client
from tests.pages.site import Site
from tests.services.gateway.users import Person


@pytest.mark.parametrize("way", ["live", "polling"])
async def test_a_new_client_s_first_followup_is_sent_before_one_s_eyes(
    page: Page, agent: Person, way: str
) -> None:
    if way == "polling":
        await page.route("**/api/events", lambda route: route.abort())
    await fill_new_client(page, "Ana Flores", f"{uuid4().hex[:9]}@mail.example.com")
    await page.get_by_role("button", name="Add client").click()
    await expect(
        page.get_by_role("heading", level=1, name="Ana Flores", exact=True)
    ).to_be_visible()
    indicator = "Live" if way == "live" else "Updating every 5 s"
    await expect(page.get_by_text(indicator)).to_be_visible()
    for step in ("Day 1", "Day 3", "Week 1", "Week 2", "Month 1"):
        await expect(page.get_by_text(f"{step}: Pending")).to_be_visible()
    await choose(page, "Actions for Day 1", "Send now")
    await page.get_by_role("dialog").get_by_role("button", name="Send now").click()
    await expect(page.get_by_text("Day 1: Sent ✓")).to_be_visible()
    await expect(page.get_by_text("Email was sent")).to_be_visible()
    [client] = (await agent.http.get("/api/clients")).json()
    assert client["last_email_status"] == "sent"


async def test_a_gateway_that_restarts_under_an_open_page_is_told_of(
    page: Page, site: Site, agent: Person
) -> None:
    client = await add_client(agent)
    await page.goto(f"/client/?id={client}")
    await expect(page.get_by_text("Day 1: Pending")).to_be_visible()
    await expect(page.get_by_text("Live")).to_be_visible()
    await site.running.kill("gateway")
    await expect(page.get_by_text("Offline since")).to_be_visible()
    await expect(page.get_by_text("Day 1: Pending")).to_be_visible()
    await site.running.start("gateway")
    await expect(page.get_by_text("Live")).to_be_visible()
    await agent.http.post(f"/api/clients/{client}/plan/pause")
    await expect(page.get_by_text("The follow-ups were paused")).to_be_visible()


async def test_a_page_that_cannot_be_loaded_comes_once_the_gateway_is_back(
    page: Page, site: Site, agent: Person
) -> None:
    await page.goto(f"/client/?id={await add_client(agent)}")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await site.running.kill("gateway")
    await page.get_by_role("navigation", name="Main").get_by_role("link", name="Emails").click()
    await expect(page.get_by_text("Offline since")).to_be_visible()
    await expect(page.get_by_role("heading", level=1, name="Ana Flores")).to_be_visible()
    await site.running.start("gateway")
    await expect(page.get_by_role("heading", level=1, name="Emails")).to_be_visible()


async def test_all_tabs_share_one_stream_and_another_takes_it_over(
    page: Page, context: BrowserContext, agent: Person
) -> None:
    client = await add_client(agent)
    streams: list[str] = []

    def on_request(request: Request) -> None:
        if request.url.endswith("/api/events"):
            streams.append(request.url)

    context.on("request", on_request)
    tabs = [page, await context.new_page(), await context.new_page()]
    for tab in tabs:
        await tab.goto(f"/client/?id={client}")
        await expect(tab.get_by_text("Live", exact=True)).to_be_visible()
    assert len(streams) == 1
    await page.close()
    await agent.http.post(f"/api/clients/{client}/plan/pause")
    for tab in tabs[1:]:
        await expect(tab.get_by_role("button", name="Resume")).to_be_visible()
        await expect(tab.get_by_text("Live", exact=True)).to_be_visible()
    assert len(streams) == 2


async def test_a_hidden_tab_asks_nothing_and_is_up_to_date_when_it_is_seen(
    page: Page, context: BrowserContext, agent: Person
) -> None:
    client = await add_client(agent)
    other = await context.new_page()
    for tab in (page, other):
        await tab.goto(f"/client/?id={client}")
        await expect(tab.get_by_text("Day 1: Pending")).to_be_visible()
        await expect(tab.get_by_text("Live", exact=True)).to_be_visible()
    await page.evaluate(HIDE)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await agent.http.post(f"/api/clients/{client}/plan/pause")
    await expect(other.get_by_role("button", name="Resume")).to_be_visible()
    assert asked == []
    await page.evaluate(SHOW)
    await expect(page.get_by_role("button", name="Resume")).to_be_visible()
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()


async def test_a_network_that_is_gone_is_told_at_once(
    page: Page, context: BrowserContext, agent: Person
) -> None:
    client = await add_client(agent)
    await page.goto(f"/client/?id={client}")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await context.set_offline(True)
    await expect(page.get_by_text("Offline since")).to_be_visible()
    await agent.http.post(f"/api/clients/{client}/plan/pause")
    await context.set_offline(False)
    await expect(page.get_by_role("button", name="Resume")).to_be_visible()
    await expect(page.get_by_text("Offline since")).to_have_count(0)
