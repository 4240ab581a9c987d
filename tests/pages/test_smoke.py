"""An agent follows a one-time link, is where the day begins, and leaves."""

from playwright.async_api import BrowserContext, expect

from ops import accounts
from tests.pages.looks import no_axe_findings, screenshot
from tests.pages.site import Site
from tests.services.gateway.users import Person


async def test_a_link_logs_in_once_and_a_log_out_ends_it(
    context: BrowserContext, site: Site, agent: Person
) -> None:
    link = await accounts.add_login_link(site.mongodb, agent.email, site.url)
    page = await context.new_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Today")).to_be_visible()
    assert "once" not in page.url
    await no_axe_findings(page)
    await screenshot(page, "smoke-today")
    await page.get_by_role("button", name="Dana").click()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert await context.cookies() == []
    again = await context.new_page()
    await again.goto(link)
    await expect(again.get_by_text("This link has been used")).to_be_visible()
    await screenshot(again, "smoke-link-used")
