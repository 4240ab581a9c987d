"""A small scenario that produces every type of event: the history of a release.

Names and texts are invented.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from contracts.crm import AgentProfile, DeactivateAgent, ReactivateAgent, UpdateAgent
from contracts.scheduler import (
    CancelFollowup,
    CancelPlan,
    ChangeFollowup,
    FollowupPatch,
    PausePlan,
    RescheduleFollowup,
    ResumePlan,
)
from tests.chassis.raw_records import put
from tests.journeys.agent_user import FINAL_STATUSES, Row, until
from tests.journeys.faulty_provider_system import FaultyProviderSystem
from tests.providers.webhook import event
from tests.system import AGENT as AGENT_ID

AGENT = AgentProfile(name="Robin Vale", email="robin@vale.example")
SETTINGS = {
    # Three attempts come before Day 3: the providers' faults meet whom they are meant for.
    "FOLLOWUP_DAY_SECONDS": "2",
    "RETRY_BASE_SECONDS": "0.5",
    "AGENT_NAME": AGENT.name,
    "AGENT_EMAIL": AGENT.email,
}
# So far away that it stays pending in every test to come.
SOME_DAY = datetime(2100, 1, 1, 9, tzinfo=UTC)
DETAILS: dict[str, Row] = {
    "Juniper Ashdown": {"phone": "+1 555 0100", "notes": "Two dogs; likes “south-facing” gardens."},
    "Óscar Peñalver": {"property_address": "4 Quince Row, Fernmoor", "property_type": "commercial"},
    "Wren Hollis": {"custom_fields": {"budget": 420_000, "areas": ["Fernmoor", "Oldbridge"]}},
    "Teodora Lindqvist": {"stage": "negotiating", "notes": "Asks for a lift.\nNo ground floor."},
    "Basil Crane": {"property_type": "land", "phone": "555 0101"},
}


@dataclass(frozen=True)
class Story:
    """An agent's months with some fifteen clients, at providers that fail now and then."""

    here: FaultyProviderSystem
    producer: AIOKafkaProducer
    prefix: str

    async def tell(self) -> None:
        """Let it all happen, until nothing more does before SOME_DAY."""
        await self._composing_fails()
        await self._sending_fails()
        await self._outcomes_are_unknown()
        await self._some_say_no()
        await self._months_pass()
        await until(self._over, "nothing is under way any more", seconds=120)

    async def _composing_fails(self) -> None:
        openai, sendgrid = self.here.providers.openai, self.here.providers.sendgrid
        await openai.inject_faults({"status": 409})
        client = await self._add("Late Letterman")
        await self.here.agent.task(client, "sent")
        await self._delete(client)
        await openai.inject_faults({"status": 409, "times": 3})
        # The first to be sent is the alert.
        await sendgrid.inject_faults({"status": 500})
        client = await self._add("Mara Unwritten")
        task = await self.here.agent.task(client, "failed")
        await self.here.alerted(task)
        await self._ok(self.here.agent.post(f"/api/tasks/{task['_id']}/retry"))
        await self.here.agent.task(client, "sent")
        await self._change(client, stage="closed")

    async def _sending_fails(self) -> None:
        sendgrid = self.here.providers.sendgrid
        await sendgrid.inject_faults({"status": 409, "headers": {"Retry-After": "1"}})
        client = await self._add("Second Chance")
        await self.here.agent.task(client, "sent")
        await self._change(client, stage="lost")
        await sendgrid.inject_faults({"status": 400})
        client = await self._add("Rufus Refused")
        task = await self.here.agent.task(client, "failed")
        await self.here.alerted(task)
        await self._ok(self.here.agent.post(f"/api/tasks/{task['_id']}/retry"))
        await self.here.agent.task(client, "sent")
        await self._change(client, stage="closed")
        await sendgrid.inject_faults({"status": 400})
        client = await self._add("Never Reached")
        await self.here.alerted(await self.here.agent.task(client, "failed"))
        await self._change(client, stage="lost")
        await sendgrid.inject_faults({"status": 409})
        client = await self._add("Gone Meanwhile")
        await self.here.agent.task(client, "composed")
        await self._delete(client)
        await until(lambda: self._has_email(client, "withheld"), "it is withheld")

    async def _outcomes_are_unknown(self) -> None:
        await self.here.providers.sendgrid.inject_faults({"drop": "after", "times": 4})
        names = ("Rhea Ported", "Sid Spoken", "Reese Sent", "Held Forever")
        clients = await asyncio.gather(*(self._add(name) for name in names))
        tasks = [await self.here.agent.task(client, "unknown") for client in clients]
        await asyncio.gather(*(self._change(client, stage="lost") for client in clients))
        [entry] = self.here.mails(tasks[0])
        assert await self.here.report(event("delivered", entry)) == 200
        for task in tasks[1:]:
            await self.here.alerted(task)
        for task, resolution in zip(tasks[1:], ("sent", "resend"), strict=False):
            [email] = await self.here.agent.rows("/api/emails", client_id=task["client_id"])
            path = f"/api/emails/{email['_id']}/resolve"
            await self._ok(self.here.agent.post(path, {"resolution": resolution}))
        for client in clients[:3]:
            await self.here.agent.task(client, "sent")

    async def _some_say_no(self) -> None:
        ways = {"Bea Bounced": "bounce", "Opal Out": "unsubscribe", "Spike Amm": "spamreport"}
        clients = {await self._add(name): kind for name, kind in ways.items()}
        for client, kind in clients.items():
            [entry] = self.here.mails(await self.here.agent.task(client, "sent"))
            assert await self.here.report(event(kind, entry, reason="550 no such box")) == 200
        for client, kind in clients.items():
            if kind == "bounce":
                await until(partial(self._is_paused, client), "its plan is paused")
                path = f"/api/clients/{client}/plan/resume"
                await self._ok(self.here.agent.post(path))
            ended = "withheld" if kind == "bounce" else "cancelled"
            await self.here.agent.task(client, ended, "Day 3")
            await self._change(client, stage="lost")

    async def _is_paused(self, client: str) -> bool:
        response = await self.here.agent.http.get(f"/api/clients/{client}")
        return bool(response.json()["plan_paused"])

    async def _months_pass(self) -> None:
        for order in (
            UpdateAgent(agent_id=AGENT_ID, personal=AGENT),
            DeactivateAgent(agent_id=AGENT_ID, deactivated_at=datetime.now(UTC)),
            ReactivateAgent(agent_id=AGENT_ID, reactivated_at=datetime.now(UTC)),
        ):
            await put(self.producer, f"{self.prefix}agents.commands", order)
        clients = [await self._add(name, **details) for name, details in DETAILS.items()]
        await self._order(RescheduleFollowup, clients[0], "Month 1", scheduled_for=SOME_DAY)
        await self._order(CancelFollowup, clients[1], "Week 2")
        notes = FollowupPatch(notes="Ask about the dogs.")
        await self._order(ChangeFollowup, clients[0], "Month 1", priority="high", personal=notes)
        for command in (PausePlan, ResumePlan):
            await self._order(command, clients[2])
        await self._order(CancelPlan, await self._add("Enough Said"))
        closed = await self._add("Done Already", stage="closed")
        await self._change(closed, notes="Sends us friends.")
        again = await self._add("Comes Again")
        await self._delete(again)
        await self._change(await self._add("Comes Again"), stage="lost")
        await self._change(clients[2], stage="under_contract", custom_fields={"budget": None})
        await self._change(clients[3], email="teo@elsewhere.example", notes=None)
        for client, kinds in zip(
            clients, (("delivered", "open", "click"), ("open",)), strict=False
        ):
            [entry] = self.here.mails(await self.here.agent.task(client, "sent"))
            assert await self.here.report(*(event(kind, entry) for kind in kinds)) == 200
        await self.here.agent.task(clients[0], "sent", "Week 2")
        await self._order(PausePlan, clients[0])

    async def _over(self) -> bool:
        tasks = await self.here.agent.rows("/api/tasks")
        going_on = [task for task in tasks if task["status"] not in FINAL_STATUSES]
        return [task["scheduled_for"][:4] for task in going_on] == [str(SOME_DAY.year)]

    async def _has_email(self, client: str, status: str) -> bool:
        return bool(await self.here.agent.rows("/api/emails", client_id=client, status=status))

    async def _add(self, name: str, **details: Any) -> str:
        address = f"{name.partition(' ')[0].lower()}@mail.example"
        body = {"name": name, "email": address} | details
        return str((await self._ok(self.here.agent.post("/api/clients", body)))["client_id"])

    async def _change(self, client: str, **changes: Any) -> None:
        await self._ok(self.here.agent.http.patch(f"/api/clients/{client}", json=changes))

    async def _delete(self, client: str) -> None:
        response = await self.here.agent.http.delete(f"/api/clients/{client}")
        assert response.status_code == 204, response.text

    async def _order(self, command: Any, client: str, followup_type: str = "", **rest: Any) -> None:
        """Order something of one follow-up, or of the whole plan, once it is there."""
        task = await self.here.agent.task(client, "pending", followup_type or "Month 1")
        about = {"followup_id": task["_id"]} if followup_type else {}
        order = command(agent_id=AGENT_ID, client_id=client, **about, **rest)
        await put(self.producer, f"{self.prefix}followups.commands", order)

    async def _ok(self, asking: Awaitable[Any]) -> Row:
        response = await asking
        assert response.is_success, response.text
        answer: Row = response.json()
        return answer
