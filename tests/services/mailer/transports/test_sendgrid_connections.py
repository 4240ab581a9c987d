"""Whether a letter has left, for every way in which a connection fails: on real sockets."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chassis.calls.call_limit import CallLimit
from chassis.domain.errors import CallFailed, OutcomeUnknown
from services.mailer.transports import http_session
from services.mailer.transports.sendgrid import SendGridTransport
from tests.providers.raw_server import Link, Script, raw_server
from tests.services.mailer.sample_letters import SENT_FROM, outgoing
from tests.services.mailer.transports.certificates import certified

# Longer than a busy machine needs to answer, for tests that wait for no timeout.
SECONDS = 60.0
HEAD = b"HTTP/1.1 202 Accepted\r\nX-Message-Id: m1\r\n"
ACCEPTED = HEAD + b"Content-Length: 0\r\n\r\n"
FAR_HEADER = b"X-Trace: " + b"x" * 20_000 + b"\r\n"


async def outcome(url: str, seconds: float = SECONDS) -> str:
    """Send one letter; return the message's id, `not sent`, `refused for good` or `unknown`."""
    transport = SendGridTransport("SG.test", url, SENT_FROM, seconds, CallLimit(1, 512))
    try:
        return await sent_by(transport)
    finally:
        await transport.close()


async def sent_by(transport: SendGridTransport) -> str:
    try:
        return str(await transport.send(outgoing()))
    except CallFailed as failed:
        reason, named = failed.reason, "refused for good" if failed.final else "not sent"
    except OutcomeUnknown as unknown:
        reason, named = unknown.reason, "unknown"
    assert not any(personal in reason.lower() for personal in ("maria", "sg.test"))
    return named


def answering(content: bytes) -> Script:
    """Read the request, answer, close."""

    async def script(link: Link) -> None:
        await link.request()
        link.answer(content)

    return script


def answering_then_reset(content: bytes) -> Script:
    async def script(link: Link) -> None:
        await link.request()
        link.answer(content)
        # Once the client has read it: a reset discards what it has not.
        await asyncio.sleep(0.05)
        link.reset()

    return script


async def reset_at_once(link: Link) -> None:
    link.reset()


async def close_at_once(link: Link) -> None:
    link.close()


async def reset_once_read(link: Link) -> None:
    await link.request()
    link.reset()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(reset_at_once, "unknown", id="reset before it is read"),
        pytest.param(close_at_once, "unknown", id="closed before it is read"),
        pytest.param(reset_once_read, "unknown", id="reset after it is read"),
        pytest.param(answering(b""), "unknown", id="closed after it is read"),
        pytest.param(answering(b"HTTP/1.1 20"), "unknown", id="half a status line"),
        pytest.param(answering(b"HTTP/1.1 202 Accepted\r\n"), "unknown", id="status line"),
        pytest.param(answering(HEAD), "unknown", id="half a head"),
        pytest.param(answering_then_reset(HEAD), "unknown", id="half a head, reset"),
        pytest.param(answering(b"EHLO relay\r\n\r\n"), "unknown", id="not HTTP"),
        pytest.param(answering(b"HTTP/1.1 100 Continue\r\n\r\n"), "unknown", id="100, closed"),
        pytest.param(answering(b"HTTP/1.1 100 Continue\r\n\r\n" + ACCEPTED), "m1", id="100, 202"),
        pytest.param(answering(ACCEPTED), "m1", id="accepted"),
        pytest.param(answering(HEAD + b"\r\n"), "m1", id="a body without a length"),
        pytest.param(answering(HEAD + b"Content-Length: 9\r\n\r\nhalf"), "m1", id="body cut"),
        pytest.param(
            answering_then_reset(HEAD + b"Content-Length: 9\r\n\r\nhalf"), "m1", id="body reset"
        ),
        pytest.param(
            answering(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            "unknown",
            id="broken chunk",
        ),
        pytest.param(
            answering(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
            "m1",
            id="broken gzip",
        ),
        pytest.param(
            answering(HEAD + FAR_HEADER + b"Content-Length: 0\r\n\r\n"), "m1", id="long header"
        ),
        pytest.param(
            answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nha"),
            "not sent",
            id="503, cut",
        ),
        pytest.param(
            answering(b"HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n"), "unknown", id="504"
        ),
        pytest.param(
            answering(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), "refused for good", id="401"
        ),
    ],
)
async def test_a_letter_is_called_unsent_only_if_that_is_sure(
    script: Script, expected: str
) -> None:
    async with raw_server(script) as server:
        assert await outcome(server.url) == expected
    assert server.connections == 1, "a letter is never sent twice"
    assert len(server.requests) <= 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b"", "unknown"), (HEAD, "unknown"), (HEAD + b"Content-Length: 9\r\n\r\nhalf", "m1")],
)
async def test_a_server_that_falls_silent_has_said_what_its_status_says(
    answer: bytes, expected: str
) -> None:
    async def script(link: Link) -> None:
        await link.request()
        link.answer(answer)
        await link.closed()

    async with raw_server(script) as server:
        assert await outcome(server.url, seconds=3.0) == expected
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    async with raw_server(answering(ACCEPTED)) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(answering(head.encode())) as server:
            assert await outcome(server.url) == "refused for good"
    assert elsewhere.connections == 0


@pytest.fixture
def full_queue() -> Iterator[str]:
    """Return the address of a server that accepts nobody: its queue is full."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for each in waiting:
            each.close()


async def test_a_connection_that_is_refused_or_does_not_come_is_no_sent_letter(
    full_queue: str,
) -> None:
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert await outcome(f"http://127.0.0.1:{nobody.getsockname()[1]}") == "not sent"
    assert await outcome("http://nowhere.invalid", seconds=4.0) == "not sent"
    assert await outcome(full_queue, seconds=1.0) == "not sent"


async def silent(link: Link) -> None:
    await link.closed()


async def plain_http(link: Link) -> None:
    link.answer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await link.closed()


@pytest.mark.parametrize("script", [reset_at_once, close_at_once, plain_http, silent])
async def test_without_tls_nothing_leaves(script: Script) -> None:
    async with raw_server(script) as server:
        address = server.url.replace("http:", "https:")
        assert await outcome(address, 1.0 if script is silent else SECONDS) == "not sent"
    assert server.connections == 1


async def test_nothing_leaves_before_the_certificate_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(answering(ACCEPTED), tls=certified(tmp_path)) as server:
        assert await outcome(server.url) == "not sent"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert await outcome(server.url.replace("127.0.0.1", "localhost")) == "not sent"
        assert server.requests == []
        assert await outcome(server.url) == "m1"


async def test_a_kept_connection_that_ends_under_a_letter_leaves_its_outcome_unknown() -> None:
    async def script(link: Link) -> None:
        await link.request()
        link.answer(ACCEPTED)
        await link.request()
        link.close()

    async with raw_server(script) as server:
        transport = SendGridTransport("SG.test", server.url, SENT_FROM, SECONDS, CallLimit(1, 512))
        outcomes = [await sent_by(transport) for _ in range(3)]
        await transport.close()
    assert outcomes == ["m1", "unknown", "m1"]
    assert len(server.requests) == 3, "nothing is repeated by the client"


@pytest.mark.parametrize("goodbye", [b"", b"HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\n"])
async def test_a_kept_connection_that_has_ended_is_not_used(goodbye: bytes) -> None:
    ended = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        link.answer(ACCEPTED + goodbye)
        link.close()
        ended.set()

    async with raw_server(script) as server:
        transport = SendGridTransport("SG.test", server.url, SENT_FROM, SECONDS, CallLimit(1, 512))
        for number in (1, 2):
            assert await sent_by(transport) == "m1"
            await ended.wait()
            ended.clear()
            assert server.connections == number
            # The client's socket learns of it in the next turns of the loop.
            await asyncio.sleep(0.1)
        await transport.close()


async def test_a_kept_connection_is_used_again() -> None:
    async def script(link: Link) -> None:
        while await link.request():
            link.answer(ACCEPTED)

    async with raw_server(script) as server:
        transport = SendGridTransport("SG.test", server.url, SENT_FROM, SECONDS, CallLimit(1, 512))
        assert [await sent_by(transport) for _ in range(3)] == ["m1"] * 3
        await transport.close()
    assert server.connections == 1


async def test_a_connection_that_has_idled_too_long_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_session, "_IDLE_SECONDS", 0.001)

    async def script(link: Link) -> None:
        while await link.request():
            link.answer(ACCEPTED)

    async with raw_server(script) as server:
        transport = SendGridTransport("SG.test", server.url, SENT_FROM, SECONDS, CallLimit(1, 512))
        for _ in range(2):
            assert await sent_by(transport) == "m1"
            await asyncio.sleep(0.01)
        await transport.close()
    assert server.connections == 2


async def test_no_letter_waits_for_another_one_s_connection() -> None:
    all_here = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        if len(link.server.requests) == 300:
            all_here.set()
        await all_here.wait()
        link.answer(ACCEPTED)

    async with raw_server(script) as server:
        transport = SendGridTransport("SG.test", server.url, SENT_FROM, SECONDS, CallLimit(1, 512))
        outcomes = await asyncio.gather(*(sent_by(transport) for _ in range(300)))
        await transport.close()
    assert outcomes == ["m1"] * 300


async def test_a_login_in_netrc_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login dana password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with raw_server(answering(ACCEPTED)) as server:
        assert await outcome(server.url) == "m1"
    assert b"\r\nAuthorization: Bearer SG.test\r\n" in server.requests[0]


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
async def test_the_proxy_of_the_environment_is_used_with_its_login(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(answering(ACCEPTED)) as proxy:
        monkeypatch.setenv(name, proxy.url.replace("//", "//dana:p%40ss@"))
        monkeypatch.setenv("no_proxy", "internal.example")
        assert await outcome("http://mail.example/base") == "m1"
        assert await outcome("http://internal.example", seconds=4.0) == "not sent"
    [request] = proxy.requests
    assert request.startswith(b"POST http://mail.example/base/v3/mail/send HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic ZGFuYTpwQHNz\r\n" in request


async def test_a_proxy_that_refuses_the_tunnel_gets_no_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with raw_server(answering(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("//", "//dana:p%40ss@"))
        monkeypatch.setenv("no_proxy", "")
        assert await outcome("https://mail.example") == "not sent"
    [request] = proxy.requests
    assert request.startswith(b"CONNECT mail.example:443 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic ZGFuYTpwQHNz\r\n" in request
    assert b"SG.test" not in request, "the key is for the provider alone"


def test_a_proxy_that_speaks_no_http_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy.example:1080")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ValueError, match="proxy"):
        SendGridTransport("SG.test", "https://mail.example", SENT_FROM, SECONDS, CallLimit(1, 512))
