"""Composed emails that a running mailer hands to an SMTP server, which at first refuses."""

import asyncio
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from uuid import UUID, uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from chassis.kafka import client as chassis_kafka
from contracts import cloudevents
from contracts.catalogue import topic_of
from contracts.composer import EmailComposed
from contracts.links.opt_out import OptOutTokens
from contracts.mailer import email_id
from contracts.message import to_milliseconds
from tests.chassis.raw_records import all_of, put
from tests.chassis.waiting import until
from tests.journeys.letters import opt_out_of
from tests.servers import Server
from tests.services.mailer.sample_emails import AGENT, LETTER, NOON
from tests.system import FIT_TO_SEND, UNSUBSCRIBE_KEYS, system

TOKENS = OptOutTokens(dict([UNSUBSCRIBE_KEYS.split(":")]))


class Office:
    """Refuses the first letter for now."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.attempts = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.attempts += 1
        if self.attempts == 1:
            return "451 greylisted"
        assert isinstance(envelope.content, bytes)
        self.letters.append(envelope.content)
        return "250 OK"


def composed(client: UUID) -> EmailComposed:
    letter = LETTER.model_copy(
        update={
            "from_email": "dana@reed.example",
            "language": "fr",
            "disclosure": "Licensed in Québec\r\nBcc: x@y.z",
        }
    )
    return EmailComposed(
        agent_id=AGENT,
        client_id=client,
        followup_id=uuid4(),
        written_by="templates",
        composed_at=to_milliseconds(NOON),
        personal=letter,
    )


async def test_letters_arrive_whole_once_and_in_one_thread(
    tmp_path: Path, kafka: Server, mongodb: Server, prefix: str
) -> None:
    office, client = Office(), uuid4()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(office, loop=loop, hostname="localhost"), "127.0.0.1", 0
    )
    environment = FIT_TO_SEND | {
        "SMTP_URL": f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "MAIL_DOMAINS": "reed.example",
        "RETRY_BASE_SECONDS": "0.1",
    }

    async def sent() -> int:
        records = await all_of(kafka.address, f"{prefix}emails")
        types = [cloudevents.read(one.headers).type for one in records]
        return types.count("realtoros.EmailSent.v1")

    first, second = composed(client), composed(client)
    async with (
        chassis_kafka.producer(kafka.servers, "test") as producer,
        system(
            tmp_path, kafka, mongodb, prefix=prefix, services=("mailer",), environment=environment
        ),
    ):
        for number, each in enumerate((first, second), start=1):
            await put(producer, prefix + topic_of(EmailComposed), each, version=2)

            async def arrived(number: int = number) -> bool:
                return await sent() == number

            await until(arrived)
    server.close()
    assert office.attempts == 3
    messages = [message_from_bytes(content, policy=default) for content in office.letters]
    for message, draft in zip(messages, (first, second), strict=True):
        text, html = (part.get_content() for part in message.walk() if not part.is_multipart())
        claims = opt_out_of(dict(message.items()), text, html, TOKENS)
        assert claims.email_id == email_id(draft.followup_id)
        assert "Licensed in Québec" in text
        assert message["Bcc"] is None
        assert message["From"].addresses[0].addr_spec == "dana@reed.example"
        assert 'lang="fr" dir="ltr"' in html
    assert messages[0]["In-Reply-To"] is None
    assert messages[1]["In-Reply-To"] == messages[0]["Message-ID"]
