"""What the gateway's own pages look like: as the dashboard does, light and dark, without scripts.

The style stands in the page, since there may be no dashboard to ask for a file; the policy names
it by its hash (CSP 3), so that nothing else in a page is a style.
"""

import hashlib
from base64 import b64encode
from html import escape
from typing import Final

from litestar import MediaType, Response

# The colors, type and sizes of `frontend/app/globals.css`.
_STYLE: Final = """
:root{color-scheme:light dark;--canvas:#f5f6f8;--surface:#fff;--line:#d6dae1;--edge:#7d8694;
--ink:#171b22;--soft:#515b6a;--accent:#1f5fbf;--accent-ink:#fff;--warn:#7a4d00;--warn-wash:#fdf1d8}
@media(prefers-color-scheme:dark){:root{--canvas:#0e1116;--surface:#171b22;--line:#323944;
--edge:#727d8d;--ink:#eef1f5;--soft:#aab4c3;--accent:#8ab6ff;--accent-ink:#0b1730;--warn:#f0c674;
--warn-wash:#35290f}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;align-content:center;justify-items:center;gap:1.5rem;
padding:2.5rem 1rem;background:var(--canvas);color:var(--ink);overflow-wrap:anywhere;
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif}
header{font-size:1.25rem;font-weight:700}
main{width:100%;max-width:22rem;padding:1.5rem;background:var(--surface);
border:1px solid var(--line);border-radius:.625rem}
h1{margin:0 0 1rem;font-size:1.25rem;line-height:1.4;font-weight:600}
p{margin:0 0 1rem}
main>:last-child,form>:last-child{margin-bottom:0}
label{font-size:.875rem;font-weight:500}
input[type=password]{width:100%;min-height:2.25rem;margin-top:.25rem;padding:.375rem .75rem;
font:inherit;color:inherit;background:var(--surface);border:1px solid var(--edge);
border-radius:.625rem}
input[type=checkbox]{width:1rem;height:1rem;margin:0 .25rem 0 0;vertical-align:-.125rem}
button{width:100%;min-height:2.25rem;padding:.375rem .75rem;font:inherit;font-size:.875rem;
font-weight:500;color:var(--accent-ink);background:var(--accent);border:1px solid transparent;
border-radius:.625rem;cursor:pointer}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
[role=alert]{padding:.5rem .75rem;font-size:.875rem;color:var(--warn);background:var(--warn-wash);
border-radius:.625rem}
"""
_HASH: Final = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{_HASH}'"
)
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>{header}<main><h1>{title}</h1>
{content}
</main></body>
</html>
"""


def html_page(title: str, content: str, status: int, *, header: str = "") -> Response[str]:
    """Return a page of this content and, above it, header, which are HTML; the title is text."""
    return Response(
        _PAGE.format(title=escape(title), style=_STYLE, header=header, content=content),
        media_type=MediaType.HTML,
        status_code=status,
        headers={"Content-Security-Policy": POLICY},
    )
