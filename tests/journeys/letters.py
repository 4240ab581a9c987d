"""What every letter to a client has to say, whatever it was sent by."""

import re
from collections.abc import Mapping
from html import unescape

from contracts.links.opt_out import OptOut, OptOutTokens


def opt_out_of(headers: Mapping[str, str], text: str, html: str, tokens: OptOutTokens) -> OptOut:
    """Check headers and both parts; return what the link to opt out says."""
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.fullmatch(r"<(https?://[^<>\s]+/u/([\w-]+))>", headers["List-Unsubscribe"])
    assert found, headers["List-Unsubscribe"]
    assert text.rstrip().endswith(f": {found[1]}")
    assert f'<a href="{found[1]}">' in html
    shown = unescape(re.sub(r"<[^>]+>", " ", html))
    said = text.rstrip().removesuffix(f": {found[1]}")
    assert re.sub(r"\W", "", shown) == re.sub(r"\W", "", said), "both parts say the same"
    return tokens.open(found[2])
