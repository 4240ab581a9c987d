"""What tests do on pages again and again, and by the API beside them."""

from typing import Any
from uuid import uuid4

from playwright.async_api import Page

from tests.services.gateway.users import Person
from tests.writes import carried_out

Json = dict[str, Any]
# In milliseconds.
SECONDS = 30_000
# A tab is never hidden where there is no window: this is all that its page sees of it.
HIDE = """
Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""
SHOW = """
delete document.hidden;
delete document.visibilityState;
document.dispatchEvent(new Event("visibilitychange"));
"""


async def add_client(agent: Person, **fields: Any) -> str:
    """Add a client by the API; return its id."""
    body = {"name": "Ana Flores", "email": f"{uuid4().hex[:12]}@mail.example.com"} | fields
    answer = await carried_out(agent.http, "/api/clients", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["client_id"])


async def tasks_of(agent: Person, client_id: str) -> list[Json]:
    rows: list[Json] = (await agent.http.get(f"/api/clients/{client_id}/tasks")).json()
    return rows


async def fill_new_client(page: Page, name: str, email: str) -> None:
    await page.goto("/clients/?new=1")
    dialog = page.get_by_role("dialog", name="New client")
    await dialog.get_by_label("Name", exact=True).fill(name)
    await dialog.get_by_label("Email", exact=True).fill(email)


async def choose(page: Page, button: str, item: str) -> None:
    """Choose from the list that a button opens."""
    await page.get_by_role("button", name=button, exact=True).click()
    await page.locator(":popover-open").get_by_role("button", name=item).click()
