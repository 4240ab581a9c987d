"""The inbox on a real topic: valid records take effect, bad ones go to quarantine, none blocks."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer

from chassis.eventlog.event_store import EventLog
from chassis.mongo.client import Database
from contracts import cloudevents
from contracts.crm import ClientDeleted, DeleteClient
from contracts.replies import CommandAccepted, CommandRejected
from tests.chassis.inbox.tally_service import Owner, consuming, inbox_of
from tests.chassis.raw_records import put, send
from tests.chassis.tally import AGENT, CLIENT, TALLIES, now, order
from tests.chassis.waiting import until
from tests.servers import Server


@pytest.fixture
async def owner(
    kafka: Server, topics: str, producer: AIOKafkaProducer, log: EventLog, database: Database
) -> AsyncIterator[Owner]:
    """A running owner of tallies."""
    async with consuming(kafka, topics, inbox_of(producer, topics, log, database)):
        yield Owner(kafka, topics, producer)


def envelope_headers(message: Any, **changes: bytes | None) -> list[tuple[str, bytes | None]]:
    envelope = cloudevents.about(
        message, id=uuid4(), source="gateway", time=now(), correlation=uuid4()
    )
    headers: dict[str, bytes | None] = {**dict(cloudevents.write(envelope)), **changes}
    return list(headers.items())


async def test_a_command_takes_effect_and_is_answered_with_the_version(
    owner: Owner, log: EventLog
) -> None:
    of = uuid4()
    first = await put(owner.producer, owner.commands, order(of, "opened"))
    second = await put(owner.producer, owner.commands, order(of, "opened"))
    [(envelope, value)] = await owner.until_answered(second)
    assert envelope.type == CommandAccepted.wire_name
    assert (value["about"], value["version"]) == (f"email-{of}", 2)
    assert len((await owner.replies())[first]) == 1
    assert (await log.load(TALLIES, [of]))[of].state.opened == 2


async def test_a_refused_command_is_answered_with_the_reason_and_the_field(owner: Owner) -> None:
    command = await put(owner.producer, owner.commands, order(uuid4(), "bounced"))
    [(envelope, value)] = await owner.until_answered(command)
    assert envelope.type == CommandRejected.wire_name
    assert (value["kind"], value["field"]) == ("invalid", "kind")
    assert await owner.quarantined() == []


async def test_bad_records_go_to_quarantine_and_later_good_ones_are_handled(
    owner: Owner, log: EventLog
) -> None:
    of = uuid4()
    good = order(of, "opened")
    value = good.to_json().encode()
    too_early = json.dumps(good.model_dump(mode="json") | {"at": "0001-01-01T00:00:00+14:00"})
    bad: list[tuple[list[tuple[str, bytes | None]], bytes | None, str]] = [
        (envelope_headers(good), b"{not json", "json_invalid"),
        (envelope_headers(good), None, "json_invalid"),
        (envelope_headers(good), b'{"kind": "opened"}', "agent_id: missing"),
        (envelope_headers(good), too_early.encode(), "at: value_error"),
        (envelope_headers(good, ce_id=None), value, "ce_id: is missing or null"),
        (envelope_headers(good, ce_time=b"\xff"), value, "ce_time: is not UTF-8"),
        (envelope_headers(good, ce_type=None), value, "ce_type: is missing or null"),
        (envelope_headers(good, ce_type=b"\xff\xfe"), value, "ce_type: is not UTF-8"),
        (envelope_headers(good, ce_type=b"realtoros.Nonsense.v9"), value, "is not known here"),
        ([], value, "content-type"),
        (envelope_headers(order(of, "clicked")), order(of, "clicked").to_json().encode(), "a bug"),
    ]
    key = str(CLIENT).encode()
    sent = [await send(owner.producer, owner.commands, key, *record[:2]) for record in bad]
    await owner.until_answered(await put(owner.producer, owner.commands, good))
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1
    quarantined = {int(dict(r.headers)["quarantine_offset"]): r for r in await owner.quarantined()}
    assert sorted(quarantined) == [metadata.offset for metadata in sent]
    for metadata, (headers, raw, reason) in zip(sent, bad, strict=True):
        record = quarantined[metadata.offset]
        found = dict(record.headers)
        assert reason in found["quarantine_reason"].decode()
        assert found["quarantine_topic"] == b"emails.commands"
        assert int(found["quarantine_partition"]) == metadata.partition
        assert found["quarantine_at"].endswith(b"Z")
        assert record.key == f"emails.commands-{metadata.partition}-{metadata.offset}".encode()
        assert bytes.fromhex(found["quarantine_key"].decode()) == key
        assert record.value == (raw or b"")
        assert ("quarantine_null" in found) == (raw is None)
        assert list(record.headers[: len(headers)]) == headers
        assert b"canary" not in b"".join(v or b"" for v in found.values())


async def test_a_command_that_is_redelivered_is_handled_once_and_answered_twice(
    owner: Owner, log: EventLog
) -> None:
    of = uuid4()
    command = order(of, "opened")
    headers = envelope_headers(command)
    for _ in range(2):
        value = command.to_json().encode()
        await send(owner.producer, owner.commands, str(CLIENT).encode(), headers, value)
    identity = UUID(dict(headers)["ce_id"].decode())  # type: ignore[union-attr]
    first, second = await owner.until_answered(identity, times=2)
    assert first[0].id == second[0].id
    assert first[1] == second[1]
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1


async def test_an_event_is_shown_and_reacted_to_and_another_s_command_is_left_alone(
    owner: Owner, log: EventLog, database: Database
) -> None:
    client = uuid4()
    gone = ClientDeleted(agent_id=AGENT, client_id=client, deleted_at=now())
    await put(owner.producer, owner.clients, DeleteClient(agent_id=AGENT, client_id=client))
    event = await put(owner.producer, owner.clients, gone, version=1)

    async def reacted() -> bool:
        return client in await log.load(TALLIES, [client])

    await until(reacted)
    seen = await database["seen"].find_one({"_id": client})
    assert seen
    assert seen["events"] == 1
    commit = await database["commits"].find_one({"stream": f"email-{client}"})
    assert commit
    assert commit["cause"] == event
    assert await owner.quarantined() == []


async def test_events_that_are_refused_too_early_or_fail_a_view_go_to_quarantine(
    owner: Owner, log: EventLog
) -> None:
    client, other, stranger = uuid4(), uuid4(), uuid4()

    async def publish(of: UUID, version: int | None, agent: UUID = AGENT) -> None:
        gone = ClientDeleted(agent_id=agent, client_id=of, deleted_at=now())
        await put(owner.producer, owner.clients, gone, version=version)

    await publish(client, 1)
    await publish(client, 2)  # refused: deleted already
    await publish(client, 4)  # 3 never came
    await publish(other, None)
    await publish(stranger, 1, agent=uuid4())  # more than the view can take
    await publish(other, 1)

    async def all_handled() -> bool:
        return (
            len(await owner.quarantined()) == 4
            and len(await log.load(TALLIES, [client, other])) == 2
        )

    await until(all_handled)
    reasons = sorted(
        dict(r.headers)["quarantine_reason"].decode() for r in await owner.quarantined()
    )
    assert reasons == [
        "a view failed: ZeroDivisionError",
        "ce_streamversion: is missing",
        "refused: deleted already",
        "version 4 came before what precedes it",
    ]
    assert await log.load(TALLIES, [stranger]) == {}


async def test_a_state_that_cannot_be_read_does_not_block_the_others(
    owner: Owner, log: EventLog, database: Database
) -> None:
    broken, of = uuid4(), uuid4()
    await owner.until_answered(await put(owner.producer, owner.commands, order(broken, "opened")))
    await database["tallies"].update_one({"_id": broken}, {"$set": {"state.opened": "many"}})
    first = await put(owner.producer, owner.commands, order(broken, "opened"))
    await owner.until_answered(await put(owner.producer, owner.commands, order(of, "opened")))
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1
    [headers] = [dict(record.headers) for record in await owner.quarantined()]
    assert headers["ce_id"].decode() == str(first)
    assert headers["quarantine_reason"] == b"a bug: ValidationError"


async def test_what_a_process_took_and_did_not_finish_is_handled_by_the_next(
    kafka: Server, topics: str, producer: AIOKafkaProducer, log: EventLog, database: Database
) -> None:
    """The first one's log does not flush: its batch hangs until it goes."""
    of, stuck = uuid4(), EventLog(database)
    command = await put(producer, f"{topics}emails.commands", order(of, "opened"))
    async with consuming(kafka, topics, inbox_of(producer, topics, stuck, database)):
        await until(lambda: bool(stuck._waiting))
    async with consuming(kafka, topics, inbox_of(producer, topics, log, database)):
        await Owner(kafka, topics, producer).until_answered(command)
    assert (await log.load(TALLIES, [of]))[of].state.opened == 1
