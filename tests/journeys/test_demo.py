"""`realtoros demo` as a user runs it: interrupted by Ctrl-C, then run again to the end."""

import asyncio
import email
import json
import os
import re
import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from chassis.process.settings import named_keys
from contracts.links.opt_out import OptOutTokens
from services.gateway.http.own_pages import CSRF_HEADER
from tests.journeys.agent_user import FOLLOWUPS, LEADS, until
from tests.journeys.letters import opt_out_of
from tests.journeys.local_command import local_command
from tests.servers import Server

pytestmark = pytest.mark.journey

LINK = re.compile(r"(http://localhost:\d+)/login/#once=(\S+)")


def demo(
    folder: Path, environment: Mapping[str, str], *options: str
) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    """Run it, with some pages; its output goes to demo.log."""
    (folder / "index.html").touch()
    log, own = folder / "demo.log", {**environment, "PAGES_DIR": str(folder)}
    return local_command(folder, "demo", *options, environment=own, log=log)


async def test_a_demo_interrupted_by_ctrl_c_resumes(
    tmp_path: Path, kafka: Server, prefix: str
) -> None:
    environment = {"FOLLOWUP_DAY_SECONDS": "0.6", "SCHEDULER_POLL_SECONDS": "0.5"}
    if not kafka.embedded:
        environment |= {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": prefix}
    mail, log = tmp_path / ".realtoros" / "demo" / "mail", tmp_path / "demo.log"

    async def some_sent() -> bool:
        assert first.returncode is None, log.read_text()
        return len(letters(mail)) >= 30

    async with demo(tmp_path, environment, "--once") as first:
        await until(some_sent, "30 letters are written", log)
        await assert_strangers_are_refused(mail.parent)
        os.killpg(first.pid, signal.SIGINT)
        assert await first.wait() == 130, log.read_text()
    before = letters(mail)
    assert 30 <= len(before) < FOLLOWUPS
    async with demo(tmp_path, environment, "--once") as second:
        assert await second.wait() == 0, log.read_text()
    assert f"{FOLLOWUPS} of {FOLLOWUPS} follow-ups sent" in log.read_text()
    assert LINK.findall(log.read_text()) == [], "a link to what has ended"
    after = letters(mail)
    assert before.items() <= after.items()
    assert len(after) == FOLLOWUPS
    keys = await asyncio.to_thread((mail.parent / "unsubscribe-keys").read_text)
    tokens = OptOutTokens(named_keys(SecretStr(keys)))
    assert_each_is_a_readable_letter(list(after.values()), tokens)
    assert list(mail.glob(".*")) == [], "no partly written letter is left"


async def test_the_dashboard_is_a_link_away_while_the_demo_runs_and_after_it(
    tmp_path: Path, kafka: Server, prefix: str
) -> None:
    environment = {"FOLLOWUP_DAY_SECONDS": "0.2", "SCHEDULER_POLL_SECONDS": "0.5"}
    if not kafka.embedded:
        environment |= {"KAFKA_BOOTSTRAP_SERVERS": kafka.address, "KAFKA_TOPIC_PREFIX": prefix}
    log = tmp_path / "demo.log"

    async def both_said() -> bool:
        assert process.returncode is None, log.read_text()
        return len(LINK.findall(log.read_text())) == 2

    async with demo(tmp_path, environment) as process:
        await until(both_said, "a link during the demo, and one after it", log)
        for url, token in LINK.findall(log.read_text()):
            async with httpx2.AsyncClient(base_url=url, trust_env=False) as browser:
                own_page = {"Sec-Fetch-Site": "same-origin", CSRF_HEADER: "1"}
                body = {"token": token}
                followed = await browser.post("/api/auth/link", json=body, headers=own_page)
                assert followed.status_code == 204, followed.text
                found = await browser.get("/api/clients", params={"limit": 1})
                assert found.headers["x-total-count"] == str(len(LEADS))


async def assert_strangers_are_refused(folder: Path) -> None:
    """Without a password the embedded MongoDB shows nothing; the address file holds none."""
    address = await asyncio.to_thread(address_in, folder)
    assert "@" not in address
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(address)
    async with client:
        with pytest.raises(OperationFailure, match="requires authentication"):
            await client["realtoros_gateway"]["accounts"].find_one()


def address_in(folder: Path) -> str:
    assert folder.stat().st_mode & 0o077 == 0
    address: str = json.loads((folder / "api.json").read_text())["mongodb"]
    return address


def letters(mail: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in mail.glob("*.eml")}


def assert_each_is_a_readable_letter(contents: list[bytes], tokens: OptOutTokens) -> None:
    messages = [email.message_from_bytes(content, policy=default) for content in contents]
    assert len({message["Message-ID"] for message in messages}) == len(messages)
    addresses = sorted(str(message["To"]) for message in messages)
    assert len(set(addresses)) == len(LEADS)
    assert all(addresses.count(address) == 5 for address in addresses)
    for message in messages:
        assert message["Subject"]
        assert message.get_content_type() == "multipart/alternative"
        parts = [part.get_content_type() for part in message.walk()][1:]
        assert parts == ["text/plain", "text/html"]
        assert not message.defects
        text, html = (part.get_content() for part in message.walk() if not part.is_multipart())
        claims = opt_out_of(dict(message.items()), text, html, tokens)
        assert str(message["To"]).endswith(f"<{claims.address}>")
        assert f"{claims.email_id}@" in message["Message-ID"]
    for content, message in zip(contents, messages, strict=True):
        assert f"\r\nList-Unsubscribe: {message['List-Unsubscribe']}\r\n".encode() in content
    assert_letters_follow_each_other(messages)


def assert_letters_follow_each_other(messages: list[EmailMessage]) -> None:
    """Each is the first one to its client, or follows another one to the same client."""
    client_of = {str(message["Message-ID"]): str(message["To"]) for message in messages}
    followed = [message for message in messages if message["In-Reply-To"]]
    assert len(followed) >= len(messages) - 2 * len(LEADS)
    for message in followed:
        assert client_of[str(message["In-Reply-To"])] == str(message["To"])
        assert str(message["References"]).split()[-1] == str(message["In-Reply-To"])
        assert not str(message["Subject"]).lower().startswith("re:")
