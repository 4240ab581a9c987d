"""Traffic: every kind of request, command and report, repeatedly, while services crash.

What the API has no route for is produced as the record that the gateway would send.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx2
from aiokafka import AIOKafkaProducer

from chassis.process.tasks import cancel_and_wait
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.composer import Letter, RetryDraft
from contracts.crm import (
    AgentProfile,
    CreateClient,
    DeactivateAgent,
    NewClientDetails,
    ReactivateAgent,
    ReassignClient,
    RegisterAgent,
    UpdateAgent,
)
from contracts.mailer import (
    DeliveryKind,
    RecordDelivery,
    RecordedAddress,
    ReleaseSuppression,
    ResumeSending,
    suppression_id,
)
from contracts.message import Command
from contracts.notices import SendNotice
from contracts.scheduler import (
    AddFollowup,
    CancelFollowup,
    ChangeFollowup,
    FollowupPatch,
    PausePlan,
    RescheduleFollowup,
    ResumePlan,
)
from tests.faults.checker.history import Acknowledged
from tests.faults.stops import Stops
from tests.providers.running import FakeProvider
from tests.servers import Server
from tests.system import AGENT, AUTHORIZED, PUBLIC_URL, logged_in

# One topic for each service; scheduler and gateway both read `agents`.
_POISONED = (
    "clients.commands",
    "followups.commands",
    "drafts.commands",
    "emails.commands",
    "agents",
)
_KINDS: tuple[DeliveryKind, ...] = (
    "delivered",
    "opened",
    "machine_opened",
    "clicked",
    "bounced",
)
# Of an address to which nothing is sent.
_KINDS_OF_ANOTHER: tuple[DeliveryKind, ...] = ("soft_bounced", "unsubscribed", "resubscribed")
# The mail provider's faults; more of some of them while a service crashes at what they lead to.
_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 409, "rate": 0.1},
    {"status": 400, "rate": 0.2},
    {"drop": "after", "rate": 0.05},
    # For opt-outs and pauses while an email is in flight.
    {"delay": 0.8, "rate": 0.1},
    {"drop": "before", "rate": 0.05},
)
_FAULTS_BEFORE: dict[str, dict[str, Any]] = {
    "SendAttemptFailed": {"status": 409, "rate": 0.5},
    "EmailFailed": {"status": 400, "rate": 0.5},
    "AlertRaised": {"status": 400, "rate": 0.5},
    "AlertFailed": {"status": 400, "rate": 0.5},
    # Three in a row would open the breaker, and nearly all emails wait.
    "SendOutcomeUnknown": {"drop": "after", "rate": 0.2},
    "EmailHeld": {"drop": "after", "rate": 0.2},
    "switches": {"delay": 0.8, "rate": 0.8},
    # A letter is put off while an earlier one to its client waits for its retry.
    "postpone": {"status": 409, "rate": 0.6},
}
_TICK_SECONDS = 0.45
_OPT_OUT_SECONDS = 0.1
# While a service crashes at one of these, all sending is paused again and again.
_OF_THE_SWITCH = ("Sending", "switches", "hold emails", "release emails")
_SWITCH_SECONDS = 0.4
# An attempt whose process crashed is given up after 6.5 seconds, once the backlog is set aside.
_STOPPED_SECONDS = 20.0
_SENDING_SECONDS = 5.0
_KINDS_OF_CHANGE = 5
# What comes of new clients alone, however many emails wait.
_OF_NEW_CLIENTS = (
    *("CreateClient", "PrepareDraft", "RewriteDraft"),
    *("ReviseDraft", "ApproveDraft", "DiscardDraft"),
)
# Services that crash all the time do not keep up with traffic that takes no notice of it.
_LONGEST_BACKLOG = 60


class Traffic:
    """Traffic of agents, clients and the provider; `acknowledged` is what the API confirmed."""

    def __init__(
        self,
        url: str,
        producer: AIOKafkaProducer,
        prefix: str,
        sendgrid: FakeProvider,
        next_points: Callable[[], Iterable[str]],
    ) -> None:
        self.acknowledged = Acknowledged()
        self._stops = Stops(self._request, self.acknowledged)
        self._next_points = next_points
        self._next, self._looked_at = "", 0.0
        self._http = httpx2.AsyncClient(
            base_url=url, timeout=5, trust_env=False, headers=AUTHORIZED
        )
        self._producer = producer
        self._prefix = prefix
        self._sendgrid = sendgrid
        self._numbers = itertools.count()
        self._unknown_agent = uuid4()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = True

    async def run(self) -> None:
        """Run until `end` is called."""
        await self._client_of_unknown_agent()
        self._start(self._opt_outs())
        self._start(self._switch())
        self._start(self._provider_faults())
        while self._flowing:
            number = next(self._numbers)
            for action in (
                self._client(number, f"{number}"),
                self._change(number),
                self._followups(number),
                self._drafts(number),
                self._sequences(number),
                self._stopping(number),
                self._reports(number),
                self._agents(number),
                self._poison(number),
            ):
                self._start(action)
            await asyncio.sleep(_TICK_SECONDS)

    async def end(self) -> None:
        """Finish pending requests; register the unknown agent, whose client waits for that.

        The agent of all other clients may have been left deactivated.
        """
        self._flowing = False
        await asyncio.gather(*self._tasks)
        await self._reactivate(AGENT)
        await self._send_command(ResumeSending(agent_id=AGENT))
        await self._send_command(
            RegisterAgent(agent_id=self._unknown_agent, personal=_profile("Unknown"))
        )

    async def cut_off(self) -> None:
        """Cancel pending requests and close the connections."""
        await cancel_and_wait(self._tasks)
        await self._http.aclose()

    def _start(self, action: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(action)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _client(self, number: int, name: str) -> None:
        """Add a client, unless many emails wait already; add some twice."""
        wanted = await self._is_next(*_OF_NEW_CLIENTS)
        waiting = await self._tasks_with_status("due", "composed", limit=100)
        if len(waiting) > _LONGEST_BACKLOG and not wanted:
            return
        body = {"name": f"Client {name}", "email": f"client-{name}@example.com"}
        if number % 3 == 0 or wanted:
            body["review"] = "approve"
        # Half of the requests may be repeated.
        once = {"Idempotency-Key": f"client-{name}"} if number % 2 else {}
        created = await self._request("POST", "/api/clients", body, once)
        if created and created.status_code == 201:
            self.acknowledged.clients[created.json()["client_id"]] = datetime.now(UTC)
        if number % _KINDS_OF_CHANGE == 0:
            await self._request("POST", "/api/clients", body)

    async def _change(self, number: int) -> None:
        """Change or delete a client; leave most unchanged."""
        response = await self._request("GET", "/api/clients?limit=3")
        for client in response.json()[-1:] if response and response.is_success else []:
            path = f"/api/clients/{client['_id']}"
            match number % _KINDS_OF_CHANGE:
                case 0:
                    await self._request("PATCH", path, {"notes": f"called {number} times"})
                case 1:
                    await self._request("PATCH", path, {"stage": "lost"})
                case 2:
                    deleted = await self._request("DELETE", path)
                    if deleted and deleted.status_code == 204:
                        self.acknowledged.deleted[client["_id"]] = datetime.now(UTC)

    async def _stopping(self, number: int) -> None:
        """Cancel a follow-up that is due, change the address of one that waits, opt out by link."""
        match number % _KINDS_OF_CHANGE:
            case 0:
                for task in await self._tasks_with_status("due", "composed"):
                    await self._stops.cancel(task["_id"])
                # The API refuses to cancel what has failed.
                for task in await self._tasks_with_status("failed"):
                    await self._send_command(CancelFollowup(**_about(task)))
            case 1:
                for task in await self._tasks_with_status("composed"):
                    email = f"moved-{number}@example.com"
                    await self._stops.readdress(task["client_id"], email)
            case 2:
                for entry in self._mails()[-1:]:
                    await self._stops.opt_out(entry)

    async def _switch(self) -> None:
        """Pause and resume all sending, while a service crashes at that."""
        while self._flowing:
            await asyncio.sleep(_SWITCH_SECONDS)
            if await self._is_next(*_OF_THE_SWITCH):
                await self._until_sending()
                await self._pause()
                # What the API shows may be from before the pause.
                while self._flowing and not await self._stops.resume():
                    await asyncio.sleep(_SWITCH_SECONDS)

    async def _provider_faults(self) -> None:
        """Let the provider fail as is wanted next."""
        injected: list[dict[str, Any]] = []
        while self._flowing:
            before = [fault for name, fault in _FAULTS_BEFORE.items() if await self._is_next(name)]
            if (faults := [*before, *_FAULTS]) != injected:
                injected = faults
                await self._sendgrid.inject_faults(*({**fault, "times": None} for fault in faults))
            await asyncio.sleep(_SWITCH_SECONDS)

    async def _is_next(self, *names: str) -> bool:
        """Return whether a service crashes next at a point with one of these in its name."""
        if time.monotonic() > self._looked_at + _SWITCH_SECONDS:
            self._looked_at = time.monotonic()
            self._next = await asyncio.to_thread(lambda: " ".join(self._next_points()))
        return any(name in self._next for name in names)

    async def _until_sending(self) -> None:
        """Wait until an email is sent, for at most as long as that may take."""
        mails = len(self._mails())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SENDING_SECONDS):
                while self._flowing and len(self._mails()) == mails:
                    await asyncio.sleep(_OPT_OUT_SECONDS)

    async def _pause(self) -> None:
        """Pause until that shows, or for so long: an answer may be late, or lost."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOPPED_SECONDS):
                while self._flowing and await self._stops.sending() != "paused":
                    await self._stops.pause()
                    await asyncio.sleep(_SWITCH_SECONDS)

    async def _client_of_unknown_agent(self) -> None:
        """Add a client of an agent that is not registered yet: its follow-ups wait."""
        details = NewClientDetails(name="Ann", email="ann@example.com")
        await self._send_command(
            CreateClient(agent_id=self._unknown_agent, client_id=uuid4(), personal=details)
        )

    async def _agents(self, number: int) -> None:
        """Register and update an agent by command; now and then one by the API, who logs in."""
        agent = uuid4()
        if number % _KINDS_OF_CHANGE == 0:
            email = f"agent-{number}@example.com"
            new = {"email": email, "password": "correct horse battery", "name": "Kim"}
            await self._request("POST", "/api/admin/agents", new, logged_in(AGENT, PUBLIC_URL))
            login = {"email": email, "password": new["password"]}
            await self._request("POST", "/api/auth/login", login)
            await self._deactivate_by_api()
        if number % _KINDS_OF_CHANGE == 1:
            now = datetime.now(UTC)
            await self._send_command(DeactivateAgent(agent_id=AGENT, deactivated_at=now))
        await self._send_command(_notice(agent, confidential=number % 2 == 0 or None))
        await self._send_command(RegisterAgent(agent_id=agent, personal=_profile("Kim")))
        if number % _KINDS_OF_CHANGE == 2:
            await self._reassign(number, agent)
        # For as long as a process takes to start, where it crashes at holding what waits for that.
        if number % _KINDS_OF_CHANGE == (4 if await self._is_next("hold ") else 2):
            await self._reactivate(AGENT)
        await self._send_command(UpdateAgent(agent_id=agent, personal=_profile("Kim Lee")))

    async def _reassign(self, number: int, to: UUID) -> None:
        """Move a client to another agent; now and then one whose email waits."""
        for status in (
            ("pending", "composed") if number % _KINDS_OF_CHANGE**2 == 2 else ("pending",)
        ):
            for task in await self._tasks_with_status(status):
                about = {name: _about(task)[name] for name in ("agent_id", "client_id")}
                await self._send_command(ReassignClient(**about, to_agent_id=to))

    async def _reactivate(self, agent_id: UUID) -> None:
        now = datetime.now(UTC)
        await self._send_command(ReactivateAgent(agent_id=agent_id, reactivated_at=now))

    async def _deactivate_by_api(self) -> None:
        """Deactivate and reactivate the newest agent, as an admin."""
        response = await self._request("GET", "/api/admin/agents?limit=1")
        for account in response.json() if response and response.is_success else []:
            if account["_id"] != str(AGENT):
                path = f"/api/admin/agents/{account['_id']}"
                for active in (False, True):
                    await self._request(
                        "PATCH", path, {"active": active}, logged_in(AGENT, PUBLIC_URL)
                    )

    async def _followups(self, number: int) -> None:
        """Change, reschedule, cancel or add a pending follow-up, and retry a failed draft."""
        for task in await self._tasks_with_status("pending"):
            about = _about(task)
            if number % _KINDS_OF_CHANGE == 0 or await self._is_next("FollowupsAdded"):
                now = datetime.now(UTC)
                await self._send_command(
                    AddFollowup(**about | {"followup_id": uuid4()}, scheduled_for=now)
                )
            noted = FollowupPatch(notes=f"seen {number} times")
            await self._send_command(ChangeFollowup(**about, personal=noted))
            plan = {name: about[name] for name in ("agent_id", "client_id")}
            # A plan that stays paused would never end.
            if number % _KINDS_OF_CHANGE == 0 or await self._is_next("Plan"):
                await self._send_command(PausePlan.model_validate(plan))
                await self._send_command(ResumePlan.model_validate(plan))
            if number % _KINDS_OF_CHANGE == 1 or await self._is_next("Repl"):
                await self._request("POST", f"/api/clients/{task['client_id']}/replied")
                await self._send_command(ResumePlan.model_validate(plan))
            if await self._is_next("DraftFellDue"):
                # It falls due once its draft is there.
                continue
            if number % 2:
                await self._send_command(
                    RescheduleFollowup(**about, scheduled_for=datetime.now(UTC))
                )
            else:
                await self._send_command(CancelFollowup(**about))
        for task in await self._tasks_with_status("failed"):
            await self._send_command(RetryDraft(**_about(task)))

    async def _drafts(self, number: int) -> None:
        """Have a letter written ahead; read those that wait, and decide about them."""
        # Another one than what is rescheduled and cancelled meanwhile.
        others = (await self._tasks_with_status("pending", limit=9))[1:]
        for task in others and [others[number % len(others)]]:
            falls_due = await self._is_next("DraftFellDue")
            if number % 2 or falls_due or await self._is_next("PrepareDraft"):
                await self._request("POST", f"/api/tasks/{task['_id']}/draft", {})
            if falls_due:
                now = datetime.now(UTC)
                await self._send_command(RescheduleFollowup(**_about(task), scheduled_for=now))
        response = await self._request("GET", "/api/drafts?limit=5")
        approves = await self._is_next("DraftApproved")
        for turn, draft in enumerate(response.json() if response and response.is_success else []):
            path = f"/api/tasks/{draft['_id']}/draft"
            match _KINDS_OF_CHANGE if approves else (number + turn) % _KINDS_OF_CHANGE:
                case 0:
                    await self._request("PATCH", path, {"subject": f"Changed {number} times"})
                case 1:
                    await self._request("POST", f"{path}/discard")
                case 2:
                    await self._request("POST", path, {"instructions": "Shorter."})
                case _:
                    shown = await self._request("GET", path)
                    tag = {"If-Match": shown.headers.get("ETag", '"none"')} if shown else {}
                    await self._request("POST", f"{path}/approve", None, tag)

    async def _sequences(self, number: int) -> None:
        """Define a sequence, and retire those that are there."""
        if number % _KINDS_OF_CHANGE and not await self._is_next("Sequence"):
            return
        listed = await self._request("GET", "/api/sequences")
        for one in listed.json() if listed and listed.is_success else []:
            if one["sequence_id"]:
                await self._request("DELETE", f"/api/sequences/{one['sequence_id']}")
        steps = [{"name": "Soon", "days": 1, "goal": "Ask how they are."}]
        await self._request("POST", "/api/sequences", {"name": uuid4().hex, "steps": steps})

    async def _tasks_with_status(self, *statuses: str, limit: int = 1) -> list[dict[str, Any]]:
        either = "&".join(f"status={status}" for status in statuses)
        response = await self._request("GET", f"/api/tasks?{either}&limit={limit}")
        return response.json() if response and response.is_success else []

    async def _reports(self, number: int) -> None:
        """Report on an accepted email, as the provider's webhook would."""
        for entry in self._mails()[-1:]:
            kind = _KINDS[number % len(_KINDS)]
            await self._report(kind, entry["to"][0], entry["custom_args"])
            kind = _KINDS_OF_ANOTHER[number % len(_KINDS_OF_ANOTHER)]
            address = f"nobody-{number // len(_KINDS_OF_ANOTHER)}@example.com"
            about = entry["custom_args"] | {"email_id": uuid4(), "client_id": uuid4()}
            await self._report(kind, address, about)
            if kind == "unsubscribed":
                of, why = suppression_id(AGENT, address), "agreed by phone"
                await self._send_command(
                    ReleaseSuppression(agent_id=AGENT, suppression_id=of, reason=why)
                )

    def _mails(self) -> list[dict[str, Any]]:
        """Return what the provider has accepted for clients."""
        return [e for e in self._sendgrid.ledger() if "email_id" in e["custom_args"]]

    async def _opt_outs(self) -> None:
        """Report opt-outs while an email to the address is in flight: the provider is slow then.

        They name an unknown email: only the address counts.
        """
        seen = 0
        while self._flowing:
            await asyncio.sleep(_OPT_OUT_SECONDS)
            for entry in self._sendgrid.ledger()[seen:]:
                seen = entry["number"]
                if "email_id" in entry["custom_args"] and "delay" in (entry["fault"] or {}):
                    about = entry["custom_args"] | {"email_id": uuid4()}
                    await self._report("unsubscribed", entry["to"][0], about)

    async def _report(self, kind: DeliveryKind, email: str, about: dict[str, Any]) -> None:
        fields = {
            **about,
            "attempt": about["send_attempt"],
            "agent_id": AGENT,
            "kind": kind,
            "at": datetime.now(UTC),
            "personal": RecordedAddress(email=email),
        }
        await self._send_command(RecordDelivery.model_validate(fields))

    async def _poison(self, number: int) -> None:
        topic = self._prefix + _POISONED[number % len(_POISONED)]
        await self._producer.send_and_wait(topic, value=b"{not what it should be")

    async def _send_command(self, command: Command) -> None:
        """Produce a command as the gateway does."""
        envelope = cloudevents.about(
            command, id=(id_ := uuid4()), source="gateway", time=datetime.now(UTC), correlation=id_
        )
        await self._producer.send_and_wait(
            self._prefix + topic_of(type(command)),
            key=str(command.key).encode(),
            value=command.to_json().encode(),
            headers=cloudevents.write(envelope),
        )

    async def _request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response | None:
        """Send a request to the API; return None when the gateway is down."""
        with contextlib.suppress(httpx2.TransportError):
            return await self._http.request(method, path, json=body, headers=headers)
        return None


@contextlib.asynccontextmanager
async def traffic(
    url: str,
    kafka: Server,
    prefix: str,
    sendgrid: FakeProvider,
    next_points: Callable[[], Iterable[str]],
) -> AsyncIterator[Traffic]:
    """Yield traffic for this gateway and this broker."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.address, enable_idempotence=False)
    await producer.start()
    load = Traffic(url, producer, prefix, sendgrid, next_points)
    try:
        yield load
    finally:
        await load.cut_off()
        await producer.stop()


def _about(task: dict[str, Any]) -> dict[str, Any]:
    return {"agent_id": AGENT, "client_id": task["client_id"], "followup_id": task["_id"]}


def _notice(agent: UUID, *, confidential: Literal[True] | None) -> SendNotice:
    letter = Letter(
        to_name="Kim",
        to_email="kim@example.com",
        from_name="RealtorOS",
        subject="Confirm your address",
        body="Confirm your address.",
    )
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    return SendNotice(
        agent_id=agent,
        notice_id=uuid4(),
        expires_at=expires_at,
        confidential=confidential,
        personal=letter,
    )


def _profile(name: str) -> AgentProfile:
    return AgentProfile(name=name, email="kim@example.com")
