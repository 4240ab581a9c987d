"""Every screen, by axe and by a keyboard alone; what they look like is stored, for people."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.pages.conftest import Site, log_in
from tests.pages.looks import no_axe_findings, screenshot
from tests.pages.test_journeys import add_client
from tests.pages.watched import watched
from tests.services.gateway.users import Person

SCREENS = {
    "today": "/",
    "clients": "/clients/",
    "new-client": "/clients/?new=1",
    "client": "/client/?id={client}",
    "followups": "/followups/",
    "approve": "/approve/",
    "emails": "/emails/",
    "import": "/import/",
    "settings": "/settings/",
    "not-found": "/no-such-page/",
    "login": "/login/",
    "register": "/register/",
    "forgot": "/forgot/",
}
# A page is loaded once nothing more is being fetched for it.
LOADED = "[aria-busy=true]"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1440])
async def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    browser: Browser, site: Site, agent: Person, scheme: str, width: int, violations: list[str]
) -> None:
    client = await add_client(agent, notes="Likes gardens.", phone="+1 555 0100")
    viewport = {"width": width, "height": 900}
    options = {"viewport": viewport, "color_scheme": scheme, "reduced_motion": "reduce"}
    async with watched(browser, site.url, violations, **options) as context:
        await log_in(context, agent)
        page = await context.new_page()
        for name, path in SCREENS.items():
            await page.goto(path.format(client=client))
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await expect(page.locator(LOADED)).to_have_count(0)
            await no_axe_findings(page)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wider) == 0, name
            await screenshot(page, f"{name}-{width}-{scheme}")
    assert not violations, "\n".join(violations)


async def press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of this name has the focus."""
    wanted = f"(document.activeElement.innerText || '').startsWith({name!r})"
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate(wanted):
            return
    pytest.fail(f"{name} is not reached by Tab")


async def test_a_client_is_found_and_its_plan_paused_by_keyboard_alone(
    page: Page, agent: Person
) -> None:
    client = await add_client(agent, name="Keiko Tanaka")
    await page.goto("/")
    await expect(page.get_by_text("Live")).to_be_visible()
    await press(page, "Control+k")
    await expect(page.get_by_role("combobox", name="Search clients")).to_be_focused()
    await page.keyboard.type("keiko")
    await expect(page.get_by_role("option", name="Keiko Tanaka")).to_be_visible()
    await press(page, "Enter")
    await expect(page.get_by_role("heading", name="Keiko Tanaka")).to_be_visible()
    await expect(page.get_by_text("Day 1: Pending")).to_be_visible()
    await tab_to(page, "Pause")
    await press(page, "Enter")
    await expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert (await agent.http.get(f"/api/clients/{client}")).json()["plan_paused"]
    await press(page, "?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await press(page, "Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
