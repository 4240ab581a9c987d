"""The dashboard's pages, as a gateway serves them that has a folder of them."""

import hashlib
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from services.gateway.http.problem_types import BY_SLUG
from tests.servers import Server
from tests.services.gateway.http.raw_requests import ask, unpacked
from tests.services.gateway.http.site.export_folder import CHUNK, TEXTS, make_export
from tests.system import KEY, system

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
API_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@pytest.fixture(scope="module")
async def url(
    kafka: Server, mongodb_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """The address of a gateway with pages."""
    folder = tmp_path_factory.mktemp("pages")
    async with system(
        folder / "services",
        kafka,
        mongodb_server,
        prefix=f"pages-{uuid4().hex[:8]}.",
        services=("crm", "gateway"),
        environment={
            "PAGES_DIR": str(make_export(folder)),
            "PUBLIC_URL": "https://app.realtoros.example",
            "AGENT_ID": str(uuid4()),
        },
    ) as running:
        yield running.api[0]


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/?from=mail", "index.html"),
        ("/clients/", "clients/index.html"),
        ("/client/?id=1", "client/index.html"),
        ("/index.txt?_rsc=1", "index.txt"),
        ("/clients/__next.!KGFwcCk.__PAGE__.txt", "clients/__next.!KGFwcCk.__PAGE__.txt"),
        ("/clients/__next.%21KGFwcCk.__PAGE__.txt", "clients/__next.!KGFwcCk.__PAGE__.txt"),
        ("/favicon.svg", "favicon.svg"),
        (CHUNK, CHUNK[1:]),
    ],
)
async def test_a_file_is_at_its_address(url: str, path: str, file: str) -> None:
    answer = await ask(url, path, accept=HTML)
    assert (answer.status, answer.body.decode()) == (200, TEXTS[file])
    head = await ask(url, path, "HEAD", accept=HTML)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(TEXTS[file]))
    assert head.headers["etag"] == answer.headers["etag"]


CLIENT = "0d9f3bd6-6c0e-4f5f-9b06-6d9f1f4c2b11"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/clients", "/clients/"),
        ("/clients?q=a%26b&page=2", "/clients/?q=a%26b&page=2"),
        (f"/clients/{CLIENT}", f"/client/?id={CLIENT}"),
        (f"/clients/{CLIENT.upper()}/", f"/client/?id={CLIENT.upper()}"),
    ],
)
async def test_who_asks_beside_a_page_is_sent_to_it(url: str, path: str, location: str) -> None:
    for method in ("GET", "HEAD"):
        answer = await ask(url, path, method, accept=HTML)
        assert (answer.status, answer.headers["location"]) == (307, location)
        assert answer.body == b""


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/clients/nothing/", f"/clients/{CLIENT}x", f"/clients/{CLIENT}/notes"),
        *("/index.html", "/404.html", "/index.html.br", f"{CHUNK}.gz", CHUNK.upper()),
        *("/.env", "/.git/config", "/round/index.html", "/round/"),
        *("/secret.txt", "/elsewhere/secret.txt", "/../secret.txt", "/clients/../../secret.txt"),
        *("/%2e%2e/secret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt"),
        *("/clients%2F", "/clients%2findex.html", "/clients%252f", "/%2f%2fevil.example"),
        *("//clients/", "//evil.example", "//clients", "/clients//", "/./clients/", "/clients/./"),
        *("/index.html%00", "/%00", "/clients/%00", "/clients/index.html%00.txt", "/favicon.svg/"),
        *("/%ff", "/%c0%ae%c0%ae/secret.txt", "/%", "/%zz", "/clients;a=1/", "/~root", "/C:/x"),
        *("/assets/", "/assets/chunks", "/assets/none.js"),
    ],
)
async def test_what_is_no_address_of_a_file_is_not_found(url: str, path: str) -> None:
    shown = await ask(url, path, accept=HTML)
    assert (shown.status, shown.body.decode()) == (404, TEXTS["404.html"])
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["cache-control"] == "no-cache"
    told = await ask(url, path, accept="*/*")
    assert told.status == 404
    assert told.headers["content-type"] == "application/problem+json"
    assert b"not to be read" not in shown.body + told.body


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/clients/x/y", "//api/x"])
async def test_below_api_errors_are_problems_whoever_asks(url: str, path: str) -> None:
    answer = await ask(url, path, accept=HTML, authorization=f"Bearer {KEY}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"] == API_POLICY


@pytest.mark.parametrize("accept", ["", "x", ",;q", "text/html;q=inf", "*/*;q=nan", "/"])
async def test_whatever_is_accepted_what_is_missing_is_not_found(url: str, accept: str) -> None:
    assert (await ask(url, "/nothing", accept=accept)).status == 404


async def test_only_reading_is_possible(url: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await ask(url, "/clients/", method, accept=HTML, content_length="0")
        assert answer.status == 405
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0", None),
        ("gzip;q=0.9, br;q=0.1", "gzip"),
        ("*;q=0", None),
        ("deflate", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("path", ["/", CHUNK, "/nothing"])
async def test_a_compressed_file_goes_to_who_takes_it(
    url: str, path: str, accepted: str, coding: str | None
) -> None:
    plain = await ask(url, path, accept=HTML)
    answer = await ask(url, path, accept=HTML, accept_encoding=accepted)
    assert answer.status == plain.status
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["content-type"] == plain.headers["content-type"]
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert unpacked(answer) == plain.body
    assert (answer.headers["etag"] == plain.headers["etag"]) == (coding is None)


async def test_what_is_known_is_not_sent_again_and_keeps_its_policy(url: str) -> None:
    for path in ("/", CHUNK):
        for accepted in ("br", "gzip", "identity"):
            first = await ask(url, path, accept_encoding=accepted)
            tag = first.headers["etag"]
            for known in (tag, f'"other", W/{tag}', "*"):
                again = await ask(url, path, accept_encoding=accepted, if_none_match=known)
                assert (again.status, again.body) == (304, b"")
                for name in ("etag", "cache-control", "vary", "content-security-policy"):
                    assert again.headers[name] == first.headers[name]
            other = await ask(url, path, accept_encoding="deflate", if_none_match='"other"')
            assert other.status == 200
    brotli = await ask(url, "/", accept_encoding="br")
    as_gzip = await ask(url, "/", accept_encoding="gzip", if_none_match=brotli.headers["etag"])
    assert as_gzip.status == 200


async def test_what_has_its_hash_in_its_name_is_kept_and_pages_are_asked_for(url: str) -> None:
    assert (await ask(url, CHUNK)).headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/clients/", "/index.txt", "/favicon.svg"):
        assert (await ask(url, path)).headers["cache-control"] == "no-cache"
    missing = await ask(url, "/assets/none.js")
    assert "immutable" not in missing.headers["cache-control"]


async def test_a_page_runs_its_own_scripts_and_no_others(url: str) -> None:
    for path in ("/", "/clients/", "/client/", "/nothing"):
        answer = await ask(url, path, accept=HTML)
        policy = answer.headers["content-security-policy"]
        directives = dict(part.split(" ", 1) for part in policy.split("; "))
        assert directives["default-src"] == "'none'"
        assert {directives[of] for of in ("script-src", "style-src", "connect-src")} == {"'self'"}
        assert directives["base-uri"] == directives["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
    assert (await ask(url, CHUNK)).headers["content-security-policy"] == API_POLICY


async def test_every_file_has_the_headers_that_protect_it(url: str) -> None:
    for path in ("/", CHUNK, "/clients", "/nothing", "/index.txt"):
        headers = (await ask(url, path, accept=HTML)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["strict-transport-security"].startswith("max-age=31536000")
        assert headers["cross-origin-resource-policy"] == "same-site"


async def test_the_gateway_s_own_pages_stay_what_they_are(url: str) -> None:
    slug = next(iter(BY_SLUG))
    expected = {f"/problems/{slug}": 200, "/u/x": 404, "/confirm": 200, "/reset": 200}
    for path, status in expected.items():
        answer = await ask(url, path, accept=HTML)
        assert answer.status == status
        [style] = re.findall(r"<style>(.*)</style>", answer.body.decode(), re.DOTALL)
        hashed = b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"{API_POLICY}; style-src 'sha256-{hashed}'"
        assert answer.headers["content-security-policy"] == policy
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "No such page" not in answer.body.decode()
    assert (await ask(url, "/health/live", accept=HTML)).status == 200
    assert (await ask(url, "/schema", accept=HTML)).status == 200
    assert (await ask(url, "/api/clients", accept=HTML)).status == 401
