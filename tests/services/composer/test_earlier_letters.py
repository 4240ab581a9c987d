"""What composer knows of the letters that a client has got."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chassis.eventlog.event_store import EventLog
from chassis.mongo import client as mongo
from chassis.process.tasks import cancel_and_wait
from services.composer.documents import DRAFTS, STORE, DraftDocument
from services.composer.earlier_letters import LettersInLog
from tests.servers import Server
from tests.services.composer.test_draft import AGENT, CLIENT, COMPOSED, FAILED, NOON, REQUESTED


async def test_the_last_three_letters_to_a_client_come_from_the_log(mongodb: Server) -> None:
    async with mongo.connect(mongodb.address) as client:
        database = client[f"earlier_{uuid4().hex}"]
        await mongo.declare(database, STORE.documents)
        await database.drafts.create_indexes(DraftDocument.Settings.indexes)
        log = EventLog(database)
        running = asyncio.create_task(log.run())

        async def append(hours: int, *events: Any, **about: UUID) -> None:
            """Store one commit for each event of a new draft."""
            followup, stored = uuid4(), None
            for event in events:
                change = DRAFTS.change(
                    followup,
                    stored,
                    [event.model_copy(update={"followup_id": followup} | about)],
                    source="composer",
                    cause=uuid4(),
                    correlation=uuid4(),
                    at=NOON + timedelta(hours=hours),
                )
                assert await log.append([change]) == [None]
                stored = change.document

        def letter(subject: str) -> Any:
            personal = COMPOSED.personal.model_copy(update={"subject": subject})
            return COMPOSED.model_copy(update={"personal": personal})

        letters = LettersInLog(database)
        assert await letters.to(CLIENT, AGENT) == []
        for hours, subject in ((4, "four"), (1, "one"), (3, "three"), (2, "two")):
            await append(hours, REQUESTED, letter(subject))
        await append(5, REQUESTED, FAILED)
        await append(6, REQUESTED)
        await append(7, REQUESTED, letter("another client's"), client_id=uuid4())
        await append(8, REQUESTED, letter("another agent's"), agent_id=uuid4())
        found = await letters.to(CLIENT, AGENT)
        assert [one.subject for one in found] == ["two", "three", "four"]
        assert {one.body for one in found} == {COMPOSED.personal.body}
        plan = await database.drafts.find(
            {"state.client_id": CLIENT, "state.status": "composed"}
        ).explain()
        assert "composed_by_client" in str(plan["queryPlanner"]["winningPlan"])
        await cancel_and_wait([running])
        await client.drop_database(database.name)
