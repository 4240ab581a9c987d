"""Who sees what: log-ins and their ends, other agents, other pages, hostile words."""

import asyncio
from uuid import uuid4

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.pages.acts import add_client, fill_new_client, tasks_of
from tests.pages.site import Site, log_in
from tests.services.gateway.conftest import Api
from tests.services.gateway.users import PASSWORD, Person, person


async def test_log_in_by_password_after_a_wrong_one(context: BrowserContext, agent: Person) -> None:
    page = await context.new_page()
    await page.goto("/clients/?stage=lead")
    await expect(page.get_by_role("heading", level=1, name="Log in", exact=True)).to_be_visible()
    await page.get_by_label("Email").fill(agent.email)
    await page.get_by_label("Password").fill("wrong horse battery")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_text("Email, password or code are not right.")).to_be_visible()
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1, name="Clients", exact=True)).to_be_visible()
    assert page.url.endswith("/clients/?stage=lead")
    stored = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"
    assert await page.evaluate(stored) == "[[],[]]"
    assert await page.evaluate("document.cookie") == ""


async def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(
    page: Page, context: BrowserContext, agent: Person
) -> None:
    await fill_new_client(page, "Carla Duarte", f"{uuid4().hex[:9]}@mail.example.com")
    notes = page.get_by_label("Notes")
    await notes.fill("Likes gardens.")
    await context.clear_cookies()
    await page.get_by_role("button", name="Add client").click()
    again = page.get_by_role("dialog", name="Your session has ended")
    await again.get_by_label("Password").fill(PASSWORD)
    await again.get_by_role("button", name="Log in").click()
    await expect(
        page.get_by_role("heading", level=1, name="Carla Duarte", exact=True)
    ).to_be_visible()
    [client] = (await agent.http.get("/api/clients")).json()
    assert (client["name"], client["notes"]) == ("Carla Duarte", "Likes gardens.")


async def test_a_log_out_empties_the_other_tabs(page: Page, context: BrowserContext) -> None:
    other = await context.new_page()
    for one in (page, other):
        await one.goto("/")
        await expect(one.get_by_role("heading", level=1, name="Today", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Account: Dana").click()
    await page.get_by_role("button", name="Log out").click()
    for one in (page, other):
        await expect(one.get_by_role("heading", level=1, name="Log in", exact=True)).to_be_visible()


async def test_another_agent_sees_none_of_it(
    page: Page, site: Site, context: BrowserContext, agent: Person
) -> None:
    client = await add_client(agent)
    async with person(site.url) as other:
        await log_in(context, other)
        await page.goto(f"/client/?id={client}")
        await expect(page.get_by_text("There is no such client")).to_be_visible()
        for path, empty in (("/clients/", "No clients yet"), ("/", "Nothing waits for you")):
            await page.goto(path)
            await expect(page.get_by_text(empty)).to_be_visible()
            await expect(page.get_by_text("Ana Flores")).to_have_count(0)


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`${7*7}{{7*7}}"


async def test_hostile_names_and_notes_are_words(page: Page, agent: Person) -> None:
    client = await add_client(agent, name=HOSTILE, notes=HOSTILE, source=HOSTILE[:80])
    task = (await tasks_of(agent, client))[0]["_id"]
    await agent.http.patch(f"/api/tasks/{task}", json={"notes": HOSTILE})
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for path in ("/", "/clients/", f"/client/?id={client}", "/emails/"):
        await page.goto(path)
        if path != "/emails/":
            await expect(page.get_by_text("onerror=alert").first).to_be_visible()
        assert await page.locator("img").count() == 0
    await page.get_by_role("button", name="Search").first.click()
    await page.get_by_role("combobox", name="Search clients").fill("img")
    await expect(page.get_by_role("option", name="onerror=alert")).to_be_visible()
    await asyncio.wait_for(page.wait_for_load_state("networkidle"), 30)
    assert dialogs == []


async def test_a_hostile_subject_and_text_are_words_before_and_after_they_are_sent(
    page: Page, agent: Person
) -> None:
    await agent.http.patch("/api/agents/me", json={"review": "approve"})
    task = (await tasks_of(agent, await add_client(agent)))[0]["_id"]
    await agent.http.patch(f"/api/tasks/{task}", json={"send_now": True})
    draft = f"/api/tasks/{task}/draft"
    await Api.get_until(agent, draft, lambda answer: answer.is_success)  # type: ignore[arg-type]
    edits = {"subject": HOSTILE, "body": f"Hello,\n\n{HOSTILE}"}
    edited = await agent.http.patch(draft, json=edits)
    assert edited.is_success, edited.text
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.goto("/approve/")
    await expect(page.get_by_text("onerror=alert").first).to_be_visible()
    await page.get_by_role("button", name="Approve", exact=True).click()
    await expect(page.get_by_text("No letter waits for you")).to_be_visible()
    await page.goto("/emails/")
    await page.get_by_role("button", name="onerror=alert").click()
    text = page.get_by_role("dialog").get_by_text("onerror=alert").last
    await expect(text).to_contain_text("<script>alert(2)</script>")
    assert await page.locator("img").count() == 0
    assert dialogs == []


JSON = '{"name": "Cy", "email": "cy@mail.example.com", "notes": "'
# What a foreign page posts, as forms can: path, encoding, and a field with its value.
POSTS = (
    ("/api/clients", "text/plain", JSON, '"}'),
    ("/api/clients/import", "multipart/form-data", "file", "name,email\nCy,cy@mail.example.com"),
    ("/api/auth/session", "text/plain", '{"email": "', '", "password": "x"}'),
    ("/api/auth/logout", "text/plain", "", ""),
)
SUBMIT = """([action, enctype, name, value]) => {
  const form = Object.assign(document.createElement("form"), { action, enctype, method: "post" });
  form.append(Object.assign(document.createElement("textarea"), { name, value }));
  document.body.append(form);
  form.submit();
}"""
LISTEN = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onmessage = () => resolve("told something");
  socket.onclose = () => resolve("refused");
})"""


# Another port is the same site: the browser sends the cookie there.
@pytest.mark.parametrize("host", ["127.0.0.1", "evil.localhost"])
async def test_pages_of_other_addresses_do_nothing_in_the_agent_s_name(
    page: Page, site: Site, violations: list[str], host: str
) -> None:
    foreign = f"http://{host}:4711/"
    await page.route(foreign, lambda route: route.fulfill(body="<p>", content_type="text/html"))
    for path, *form in POSTS:
        await page.goto(foreign)
        async with page.expect_navigation() as navigation:
            await page.evaluate(SUBMIT, [site.url + path, *form])
        assert (await navigation.value).status in (401, 403), path
    await page.goto(foreign)
    assert await page.evaluate(LISTEN, site.url.replace("http", "ws") + "/api/ws") == "refused"
    assert {one.partition(":")[0] for one in violations} == {"another host"}
    violations.clear()
    await page.goto("/clients/")
    await expect(page.get_by_text("No clients yet")).to_be_visible()
