"""How much a page loads at first, compressed; timing is not asserted anywhere."""

from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Response, expect

from tests.pages.site import PAGES

KB = 1024
SCRIPTS_ON_TODAY, SCRIPTS_AT_LOG_IN, STYLES, LAZY_PART = 180 * KB, 150 * KB, 25 * KB, 80 * KB


async def loaded(page: Page, path: str, heading: str) -> dict[str, int]:
    """Open the page; return the bytes of its scripts and styles as Brotli has them, by kind."""
    found: dict[str, set[str]] = {"script": set(), "stylesheet": set()}

    def take(response: Response) -> None:
        if (kind := response.request.resource_type) in found:
            found[kind].add(urlsplit(response.url).path)

    page.on("response", take)
    await page.goto(path)
    await expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert all(found.values()), found
    return {
        kind: sum((PAGES / f"{name[1:]}.br").stat().st_size for name in names)
        for kind, names in found.items()
    }


async def test_today_and_the_log_in_load_no_more_than_their_budgets(
    page: Page, context: BrowserContext
) -> None:
    today = await loaded(page, "/", "Today")
    assert today["script"] <= SCRIPTS_ON_TODAY
    assert today["stylesheet"] <= STYLES
    await context.clear_cookies()
    log_in = await loaded(await context.new_page(), "/login/", "Log in")
    assert log_in["script"] <= SCRIPTS_AT_LOG_IN


def test_no_part_is_large() -> None:
    parts = list(PAGES.glob("assets/*.js.br"))
    assert parts
    assert [part.name for part in parts if part.stat().st_size > LAZY_PART] == []
