"""That what no page may do is noticed, and that axe sees what is wrong."""

import pytest
from playwright.async_api import BrowserContext, Page

from tests.pages.looks import no_axe_findings


async def test_a_script_that_the_policy_does_not_name_is_noticed(
    page: Page, violations: list[str]
) -> None:
    await page.goto("/")
    await page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'bad = 1'}))"
    )
    await page.wait_for_function("true")
    assert await page.evaluate("typeof bad") == "undefined"
    assert {one.partition(":")[0] for one in violations} == {"policy"}
    violations.clear()


async def test_an_error_that_nobody_catches_is_noticed(page: Page, violations: list[str]) -> None:
    await page.goto("/")
    async with page.context.expect_event("weberror"):
        await page.evaluate("setTimeout(() => { throw new Error('lost') })")
    [found] = violations
    assert found.startswith("uncaught: Error: lost")
    violations.clear()


async def test_a_request_to_another_host_is_noticed(
    context: BrowserContext, violations: list[str]
) -> None:
    page = await context.new_page()
    await context.route("**/*", lambda route: route.fulfill(body="<title>Elsewhere</title>"))
    await page.goto("http://elsewhere.example/")
    assert violations == ["another host: http://elsewhere.example/"]
    violations.clear()


async def test_axe_finds_an_image_without_words(page: Page) -> None:
    await page.goto("/")
    await page.evaluate(
        "document.body.append(Object.assign(new Image(), {src: '/icon.svg', width: 20}))"
    )
    with pytest.raises(AssertionError, match="image-alt"):
        await no_axe_findings(page)
