"""An agent's day in the dashboard, on the whole system: what is done on a page is done in it."""

from pathlib import Path
from uuid import uuid4

from playwright.async_api import BrowserContext, Page, expect

from tests.pages.acts import SECONDS, add_client, choose, fill_new_client, tasks_of
from tests.pages.site import Site
from tests.services.gateway.users import Person


async def test_a_double_click_makes_one_client(page: Page, agent: Person) -> None:
    await fill_new_client(page, "Bo", f"{uuid4().hex[:9]}@mail.example.com")
    await page.get_by_role("button", name="Add client").dblclick()
    await expect(page.get_by_role("heading", level=1, name="Bo", exact=True)).to_be_visible()
    assert (await agent.http.get("/api/clients")).headers["x-total-count"] == "1"


async def test_what_the_api_refuses_is_told_beside_the_field(page: Page, agent: Person) -> None:
    address = f"{uuid4().hex[:9]}@mail.example.com"
    known = await add_client(agent, email=address)
    await fill_new_client(page, "Bo", "not an address")
    await page.get_by_role("button", name="Add client").click()
    email = page.get_by_label("Email", exact=True)
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_be_focused()
    await email.fill(address)
    await page.get_by_role("button", name="Add client").click()
    link = page.get_by_role("link", name="Open that client")
    await expect(link).to_have_attribute("href", f"/client/?id={known}")
    await email.fill(f"other.{address}")
    await page.get_by_role("button", name="Add client").click()
    await expect(page.get_by_role("heading", level=1, name="Bo", exact=True)).to_be_visible()


async def test_two_tabs_change_a_client_and_choose_field_by_field(
    page: Page, context: BrowserContext, agent: Person
) -> None:
    client = await add_client(agent, notes="none")
    other = await context.new_page()
    for one in (page, other):
        await one.goto(f"/client/?id={client}")
        await one.get_by_role("button", name="Edit").click()
    await other.get_by_label("Notes").fill("theirs")
    await other.get_by_label("Phone").fill("+1 555 0100")
    await other.get_by_role("button", name="Save").click()
    await expect(other.get_by_role("dialog")).to_have_count(0)
    await page.get_by_label("Notes").fill("yours")
    await page.get_by_label("Source").fill("Open house")
    await page.get_by_role("button", name="Save", exact=True).click()
    choice = page.get_by_role("dialog", name="Changed by somebody else meanwhile")
    await choice.get_by_role("group", name="Notes").get_by_label("Yours").check()
    await choice.get_by_role("button", name="Save these").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    shown = (await agent.http.get(f"/api/clients/{client}")).json()
    fields = ("notes", "phone", "source")
    assert [shown[field] for field in fields] == ["yours", "+1 555 0100", "Open house"]


async def test_a_followup_is_rescheduled_another_cancelled_and_an_opt_out_seen(
    page: Page, agent: Person
) -> None:
    client = await add_client(agent)
    await page.goto(f"/client/?id={client}")
    await choose(page, "Actions for Day 3", "Reschedule")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Date and time").fill("2099-03-04T09:30")
    await dialog.get_by_role("button", name="Reschedule").click()
    await expect(page.get_by_text("Wed, Mar 4, 2099, 09:30")).to_be_visible()
    await choose(page, "Actions for Week 1", "Cancel")
    await dialog.get_by_role("button", name="Cancel follow-up").click()
    await expect(page.get_by_text("Week 1: Cancelled")).to_be_visible()
    await choose(page, "More", "Opted out by word")
    await dialog.get_by_role("button", name="Opted out by word").click()
    await expect(page.get_by_text("This client has opted out")).to_be_visible()
    for step in ("Day 1", "Day 3", "Week 1", "Week 2", "Month 1"):
        await expect(page.get_by_text(f"{step}: Cancelled")).to_be_visible()
    assert {task["status"] for task in await tasks_of(agent, client)} == {"cancelled"}


async def test_a_deletion_says_what_goes_and_can_be_undone(page: Page, agent: Person) -> None:
    client = await add_client(agent)
    await page.goto(f"/client/?id={client}")
    for undone in (True, False):
        await choose(page, "More", "Delete")
        dialog = page.get_by_role("dialog", name="Delete Ana Flores?")
        await expect(dialog.get_by_text("5 follow-ups not sent yet: cancelled.")).to_be_visible()
        await dialog.get_by_role("button", name="Delete").click()
        await expect(
            page.get_by_role("heading", level=1, name="Clients", exact=True)
        ).to_be_visible()
        if undone:
            await page.get_by_role("button", name="Undo").click()
            await page.get_by_role("link", name="Ana Flores").first.click()
    # Once its ten seconds are over.
    await expect(page.get_by_text("No clients yet")).to_be_visible()
    assert (await agent.http.get(f"/api/clients/{client}")).status_code == 404


async def test_back_restores_filters_search_and_page(page: Page, agent: Person) -> None:
    for n in range(3):
        await add_client(agent, name=f"Ana {n}", stage="closed" if n else "lead")
    await page.goto("/clients/")
    await page.get_by_role("searchbox").fill("ana")
    await expect(page).to_have_url("/clients/?q=ana")
    await page.get_by_label("Sort").select_option("name")
    await page.get_by_role("link", name="Ana 1").first.click()
    await expect(page.get_by_role("heading", level=1, name="Ana 1", exact=True)).to_be_visible()
    await page.go_back()
    await expect(page).to_have_url("/clients/?q=ana&sort=name")
    await expect(page.get_by_role("searchbox")).to_have_value("ana")
    await expect(page.get_by_label("Sort")).to_have_value("name")
    await page.go_back()
    await expect(page.get_by_label("Sort")).to_have_value("-created_at")


async def test_all_that_match_are_changed_at_once(page: Page, agent: Person) -> None:
    lines = "\n".join(f"Ana {n},ana.{n}@mail.example.com" for n in range(1_234))
    answer = await agent.http.post(
        "/api/clients/import",
        content=f"name,email\n{lines}",
        headers={"Content-Type": "text/csv"},
        timeout=90,
    )
    assert answer.json()["imported"] == 1_234
    await page.goto("/clients/?q=ana")
    await page.get_by_label("Select all on this page").check()
    await page.get_by_role("button", name="Select all 1,234 matching").click()
    await choose(page, "Change the selected", "Set stage")
    dialog = page.get_by_role("dialog", name="Set the stage of 1,234 clients?")
    await dialog.get_by_label("Stage").select_option("under_contract")
    await dialog.get_by_role("button", name="Set stage").click()
    await expect(page.get_by_text("1,234 clients: done")).to_be_visible(timeout=2 * SECONDS)
    counts = (await agent.http.get("/api/clients/counts")).json()["by_stage"]
    assert counts["under_contract"] == 1_234


OWN_WORDS = "Hello Ana,\n\nthe garden on Elm Street is open on Sunday.\n\nDana"


async def test_an_edited_letter_is_sent_just_as_it_was_approved(
    page: Page, site: Site, agent: Person
) -> None:
    await agent.http.patch("/api/agents/me", json={"review": "approve"})
    address = f"{uuid4().hex[:9]}@mail.example.com"
    client = await add_client(agent, email=address)
    task = (await tasks_of(agent, client))[0]["_id"]
    await agent.http.patch(f"/api/tasks/{task}", json={"send_now": True})
    await page.goto("/")
    await expect(page.get_by_text("To approve")).to_be_visible()
    await page.get_by_role("link", name="Review").click()
    await expect(page.get_by_role("heading", level=1, name="Approve")).to_be_visible()
    await expect(page.get_by_role("button", name="Edit")).to_be_visible()
    await page.keyboard.press("e")
    await page.get_by_label("Text", exact=True).fill(OWN_WORDS)
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Done").click()
    await page.keyboard.press("a")
    await expect(page.get_by_text("No letter waits for you")).to_be_visible()
    await page.goto(f"/client/?id={client}")
    await expect(page.get_by_text("Day 1: Sent ✓")).to_be_visible()
    sent = [entry for entry in site.sendgrid.ledger() if entry["to"] == [address]]
    [text] = [entry["request"]["content"][0]["value"] for entry in sent]
    assert text.startswith(OWN_WORDS)


async def test_a_file_comes_in_by_a_mapping_and_its_bad_line_can_be_had(
    page: Page, agent: Person, tmp_path: Path
) -> None:
    file = tmp_path / "leads.csv"
    who = uuid4().hex[:9]
    file.write_text(
        "Wer,Wohin,Art\n"
        f'"Flores, Ana",ana.{who}@mail.example.com,Haus\n'
        "Bo,no address,Land\n"
        f"Cy,cy.{who}@mail.example.com,Haus\n"
    )
    await page.goto("/import/")
    await page.locator("input[type=file]").set_input_files(file)
    await page.get_by_label("Taken for: Wer").select_option("name")
    await page.get_by_label("Taken for: Wohin").select_option("email")
    await page.get_by_role("button", name="Check the file").click()
    await page.get_by_role("button", name="Import 2 clients").click()
    await expect(page.get_by_text("The file is imported.")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download 1 bad line as CSV").click()
    rows = (await (await download.value).path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("Wer,Wohin,Art,")
    assert rows[1].startswith("Bo,no address,Land,")
    clients = (await agent.http.get("/api/clients?sort=name")).json()
    assert [client["name"] for client in clients] == ["Cy", "Flores, Ana"]
