"""The Content Security Policy (CSP 3) of a page of the export.

Next.js writes scripts into its pages, different ones into each. The policy names them by their
hashes, so that no other text in the page is run as a script: there is no `unsafe-inline`. A frame
with `srcdoc`, which shows an email, needs no `frame-src`, and has this same policy.
"""

import hashlib
from base64 import b64encode
from html.parser import HTMLParser
from typing import Final

_POLICY: Final = (
    "default-src 'none'; script-src {}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def page_policy(page: str) -> str:
    """Return the policy under which the page (HTML) runs its own scripts and nothing else."""
    found = _InlineScripts()
    # Browsers hash what they have parsed, in which all line ends are one.
    found.feed(page.replace("\r\n", "\n").replace("\r", "\n"))
    found.close()
    hashes = dict.fromkeys(map(_hash, found.scripts))
    return _POLICY.format(" ".join(("'self'", *hashes)))


def _hash(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class _InlineScripts(HTMLParser):
    """Collects the texts of scripts that have no source."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._inside = True
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = False
