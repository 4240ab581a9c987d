"""What is looked at on a page: by axe, and by people."""

from functools import cache
from typing import Any

from playwright.async_api import Page

from tests.architecture.rooms import ROOT

AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / ".cache/screenshots"


# The rules that axe knows and does not apply unasked: all of WCAG 2.2.
_RULES = {"target-size": {"enabled": True}}


async def no_axe_findings(page: Page, what: str = "") -> None:
    """Assert that axe finds nothing, at any level, on the page as it is: `what`, in the message.

    What is in frames is left out: an email's frame runs no scripts.
    """
    if not await page.evaluate("'axe' in window"):
        # Playwright's own way into the page, to which its policy does not apply.
        await page.evaluate(_axe())
    options = {"resultTypes": ["violations"], "iframes": False, "rules": _RULES}
    found = await page.evaluate("options => axe.run(document, options)", options)
    assert not found["violations"], "\n".join([what, *map(_finding, found["violations"])])


async def screenshot(page: Page, name: str) -> None:
    """Store what the whole page looks like as .cache/screenshots/NAME.png, for people."""
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@cache
def _axe() -> str:
    return AXE.read_text()


def _finding(violation: dict[str, Any]) -> str:
    where = "; ".join(
        f"{' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for node in violation["nodes"]
    )
    return f"{violation['id']} ({violation['impact']}): {violation['help']}: {where}"
