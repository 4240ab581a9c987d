"""A day that is picked is the day that is stored and shown, whatever zone the browser is in."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from tests.pages.acts import add_client, choose, tasks_of
from tests.pages.site import Site, log_in
from tests.pages.watched import watched
from tests.services.gateway.users import person

ZONE = "America/Chicago"
# Both days on which the clocks change there, in years without daylight saving ending.
PICKED = {
    "spring": ("2099-03-08T09:30", "Sun, Mar 8, 2099, 09:30"),
    "autumn": ("2099-11-01T22:30", "Sun, Nov 1, 2099, 22:30"),
}


@pytest.mark.parametrize(
    "browser_zone", ["Pacific/Honolulu", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
)
async def test_the_picked_day_is_stored_and_shown(
    browser: Browser, site: Site, browser_zone: str, violations: list[str]
) -> None:
    async with (
        person(site.url, time_zone=ZONE) as agent,
        watched(browser, site.url, violations, timezone_id=browser_zone) as context,
    ):
        client = await add_client(agent)
        await log_in(context, agent)
        page = await context.new_page()
        await page.goto(f"/client/?id={client}")
        await expect(page.get_by_text("Times are in America/Chicago")).to_be_visible()
        for step, (picked, shown) in zip(("Week 2", "Month 1"), PICKED.values(), strict=True):
            await choose(page, f"Actions for {step}", "Reschedule")
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Date and time").fill(picked)
            await dialog.get_by_role("button", name="Reschedule").click()
            await expect(dialog).to_have_count(0)
            await expect(page.get_by_text(shown)).to_be_visible()
            [stored] = [
                task["scheduled_for"]
                for task in await tasks_of(agent, client)
                if task["followup_type"] == step
            ]
            local = datetime.fromisoformat(stored).astimezone(ZoneInfo(ZONE))
            assert local.isoformat(timespec="minutes")[:16] == picked
            await page.goto(f"/followups/?q=ana&due_after={stored[:10]}")
            await expect(page.get_by_text(shown).first).to_be_visible()
            await page.goto(f"/client/?id={client}")
    assert not violations, "\n".join(violations)
