"""Every screen and dialog, by axe and by a keyboard alone; what they look like, for people."""

import re
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from playwright.async_api import TimeoutError as Timeout

from tests.pages.acts import add_client, tasks_of
from tests.pages.looks import no_axe_findings, screenshot
from tests.pages.site import Site, log_in
from tests.pages.watched import watched
from tests.services.gateway.conftest import Api
from tests.services.gateway.users import Person, promote

CLIENT, LETTER = "/client/?id={client}", "/approve/?task={letter}"
# Where each is, and the buttons that lead there.
SCREENS: dict[str, dict[str, tuple[str, ...]]] = {
    "everyday": {
        "today": ("/",),
        "clients": ("/clients/",),
        "client": (CLIENT,),
        "approve": ("/approve/",),
        "letter": (LETTER,),
        "followups": ("/followups/",),
        "calendar": ("/followups/?view=month",),
        "week": ("/followups/?view=week",),
        "emails": ("/emails/",),
        "import": ("/import/",),
    },
    "settings": {
        "profile": ("/settings/",),
        **{
            tab: (f"/settings/?tab={tab}",)
            for tab in ("signature", "sending", "plans", "security", "keys", "suppressed")
        },
    },
    "admin": {
        "office": ("/admin/",),
        **{
            tab: (f"/admin/?tab={tab}",)
            for tab in ("agents", "failures", "suppressed", "quarantine")
        },
        "account": ("/admin/?tab=agents", "Role and password"),
        "new-agent": ("/admin/?tab=agents", "New agent"),
        "stop": ("/admin/", "Stop all emails"),
    },
    "outside": {
        "login": ("/login/",),
        "register": ("/register/",),
        "forgot": ("/forgot/",),
        "not-found": ("/no-such-page/",),
    },
    "of-a-client": {
        "edit": (CLIENT, "Edit"),
        "reply": (CLIENT, "More", "Record a reply"),
        "opt-out": (CLIENT, "More", "Opted out by word"),
        "delete": (CLIENT, "More", "Delete"),
        "cancel-plan": (CLIENT, "Cancel plan"),
        "add-followup": (CLIENT, "Add follow-up"),
        "actions": (CLIENT, "Actions for Day 3"),
        "reschedule": (CLIENT, "Actions for Day 3", "Reschedule"),
    },
    "dialogs": {
        "search": ("/", "Search"),
        "new-client": ("/clients/?new=1",),
        "email": ("/emails/", "{subject}"),
        "rewrite": (LETTER, "Rewrite"),
        "editor": (LETTER, "Edit"),
        "new-key": ("/settings/?tab=keys", "New key"),
        "new-plan": ("/settings/?tab=plans", "New plan"),
        "factor": ("/settings/?tab=security", "Add a second factor"),
    },
}
WIDTHS, SCHEMES = (1440, 768, 320), ("light", "dark")
# A page is loaded once nothing more is being fetched for it.
LOADED = "[aria-busy=true]"
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def fill_screens(agent: Person) -> dict[str, str]:
    """Let there be something on each screen; return what their addresses and buttons name."""
    await promote(agent)
    client = await add_client(agent, notes="Likes gardens.", phone="+1 555 0100")
    first = (await tasks_of(agent, client))[0]["_id"]
    await agent.http.patch(f"/api/tasks/{first}", json={"send_now": True})
    await until(agent, f"/api/tasks/{first}", "sent")
    await agent.http.patch("/api/agents/me", json={"review": "approve"})
    other = (await tasks_of(agent, await add_client(agent, name="Bo Reed")))[0]["_id"]
    await agent.http.patch(f"/api/tasks/{other}", json={"send_now": True})
    await until(agent, f"/api/tasks/{other}", "written")
    [email] = (await agent.http.get("/api/emails?status=sent")).json()
    return {"client": client, "letter": other, "subject": email["subject"]}


async def until(agent: Person, path: str, status: str) -> None:
    """Wait until what is at the path has the status."""
    await Api.get_until(agent, path, lambda response: response.json()["status"] == status)  # type: ignore[arg-type]


async def open_screen(page: Page, names: dict[str, str], path: str, *buttons: str) -> None:
    """Go to the path, press the buttons, and wait until all is there."""
    await page.goto(path.format(**names))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(LOADED)).to_have_count(0)
    for button in buttons:
        # Some tell afterwards, unseen, whose they are.
        name = re.compile("^" + re.escape(button.format(**names)))
        await page.get_by_role("button", name=name).first.click()
    await expect(page.locator(LOADED)).to_have_count(0)


@pytest.mark.parametrize("group", SCREENS)
async def test_axe_finds_nothing_and_no_page_scrolls_sideways(
    browser: Browser, site: Site, agent: Person, group: str, violations: list[str]
) -> None:
    names = await fill_screens(agent)
    options: dict[str, Any] = {"reduced_motion": "reduce"}
    async with watched(browser, site.url, violations, **options) as context:
        if group != "outside":
            await log_in(context, agent)
        page = await context.new_page()
        for name, (path, *buttons) in SCREENS[group].items():
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 900})
                await open_screen(page, names, path, *buttons)
                for scheme in SCHEMES:
                    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    await page.evaluate(PAINTED)
                    await no_axe_findings(page, f"{name} {width} {scheme}")
                    assert await page.evaluate(WIDER) <= 0, (name, width)
                    await screenshot(page, f"{name}-{width}-{scheme}")
    assert not violations, "\n".join(violations)


# Whether something lies over what has the focus, or it is outside of what is seen.
HIDDEN = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return null;
  const { left, top, right, bottom } = focused.getBoundingClientRect();
  const x = Math.min(Math.max((left + right) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max((top + bottom) / 2, 0), innerHeight - 1);
  const above = document.elementFromPoint(x, y);
  const seen = above && (focused.contains(above) || above.contains(focused));
  const what = (element) => element?.outerHTML.slice(0, 200);
  return seen ? null : `${what(focused)} lies under ${what(above)}`;
}"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (320, 640)])
async def test_what_has_the_focus_is_seen(
    page: Page, agent: Person, width: int, height: int
) -> None:
    """WCAG 2.4.11: nothing that stays in its place covers it."""
    names = {"client": await add_client(agent)}
    await page.set_viewport_size({"width": width, "height": height})
    for path in ("/", "/clients/", CLIENT, "/followups/", "/settings/"):
        await open_screen(page, names, path)
        seen = set()
        for _ in range(80):
            await page.keyboard.press("Tab")
            with suppress(Timeout):
                await page.wait_for_function(f"!({HIDDEN})()", timeout=2_000)
            assert await page.evaluate(HIDDEN) is None, path
            seen.add(await page.evaluate("document.activeElement.outerHTML"))
        assert len(seen) > 8, path


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
    # WCAG 4.1.3: it is told, and does not take the focus.
    told = page.get_by_role("region", name="Notifications")
    await expect(told.get_by_text("The plan is paused")).to_be_visible()
    assert (await agent.http.get(f"/api/clients/{client}")).json()["plan_paused"]
    await press(page, "?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await press(page, "Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
