"""A page's policy names its own scripts by their hashes, and nothing else that could run."""

import hashlib
import re
from base64 import b64encode

import pytest

from services.gateway.http.site.page_policy import page_policy
from tests.services.gateway.http.site.export_folder import OTHER_SCRIPT, PLAIN_SCRIPT, TEXTS


def hashes(page: str) -> list[str]:
    return re.findall(r"'sha256-([^']+)'", page_policy(page))


def sha256(script: str) -> str:
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


def test_each_inline_script_is_named_once() -> None:
    assert hashes(TEXTS["index.html"]) == [sha256(OTHER_SCRIPT), sha256(PLAIN_SCRIPT)]


@pytest.mark.parametrize(
    ("page", "scripts"),
    [
        ("<p>none</p>", []),
        ("<script src=/a.js>ignored()</script>", []),
        ("<SCRIPT type='module'>a()</SCRIPT >", ["a()"]),
        ("<script>a = '&amp;é'</script>", ["a = '&amp;é'"]),
        ("<script>a('</b><p>')</script><p>b()</p>", ["a('</b><p>')"]),
        ("<script>a()\r\nb()\rc()</script>", ["a()\nb()\nc()"]),
        ("<script></script>", [""]),
        ("<!-- <script>a()</script> --><script>b()</script>", ["b()"]),
        ("<p title='<script>a()</script>'></p>", []),
    ],
)
def test_scripts_are_what_a_browser_takes_for_scripts(page: str, scripts: list[str]) -> None:
    assert hashes(page) == [sha256(script) for script in scripts]


def test_what_is_not_named_is_forbidden() -> None:
    policy = dict(part.split(" ", 1) for part in page_policy("<p>").split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)
    assert set(policy) == {
        *("default-src", "script-src", "style-src", "img-src", "font-src", "connect-src"),
        *("manifest-src", "form-action", "base-uri", "frame-ancestors"),
    }
