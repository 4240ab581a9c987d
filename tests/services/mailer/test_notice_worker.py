"""Notices ordered over Kafka, again and again: each is one letter, sent by a running mailer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.composer import Letter
from contracts.notices import SendNotice
from tests.chassis.raw_records import all_of, put
from tests.chassis.waiting import until
from tests.providers.running import provider
from tests.servers import Server
from tests.services.mailer.sample_emails import AGENT
from tests.system import provider_settings, system

URL = "https://realtoros.example/reset?token=reset_1_2_3"
LETTER = Letter(
    to_name="", to_email="dana@reed.example", from_name="RealtorOS", subject="New", body=URL
)


def notice(minutes: float = 60) -> SendNotice:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return SendNotice(agent_id=AGENT, notice_id=uuid4(), expires_at=at, personal=LETTER)


async def test_a_notice_that_is_ordered_again_is_sent_once_and_not_when_it_has_expired(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    late, send, last = notice(minutes=-1), notice(), notice()
    topic = prefix + topic_of(SendNotice)

    async def types(of: SendNotice) -> list[str]:
        records = await all_of(kafka.address, f"{prefix}notices")
        mine = [one for one in records if one.key.decode() == str(of.notice_id)]
        return [cloudevents.read(one.headers).type.split(".")[1] for one in mine]

    async with (
        provider("openai", tmp_path) as openai,
        provider("sendgrid", tmp_path) as sendgrid,
        chassis_kafka.producer(kafka.servers, "test") as producer,
    ):
        environment = provider_settings(openai, sendgrid) | {"RETRY_BASE_SECONDS": "0.1"}
        # The first attempt is certainly refused.
        await sendgrid.inject_faults({"status": 503, "times": 1})
        async with system(
            tmp_path, kafka, mongodb, prefix=prefix, services=("mailer",), environment=environment
        ) as running:
            for command in (send, send, late, send):
                await put(producer, topic, command)

            async def ended(of: SendNotice, by: str) -> bool:
                return (await types(of))[-1:] == [by]

            await until(lambda: ended(late, "NoticeFailed"))
            await until(lambda: ended(send, "NoticeSent"))
            await running.kill("mailer")
            await running.start("mailer")
            await put(producer, topic, send)
            await put(producer, topic, last)
            await until(lambda: ended(last, "NoticeSent"))
        ledger = sendgrid.ledger()
        ids = [entry["custom_args"]["notice_id"] for entry in ledger]
        assert ids == [str(send.notice_id), str(last.notice_id)]
        # Its links are secrets: the provider leaves them as they are.
        tracking = ledger[0]["request"]["tracking_settings"]
        assert tracking["click_tracking"] == {"enable": False, "enable_text": False}
    whole = ["NoticeQueued", "NoticeStarted", "NoticeFailed", "NoticeStarted", "NoticeSent"]
    assert await types(send) == whole
    assert await types(late) == ["NoticeQueued", "NoticeFailed"]
