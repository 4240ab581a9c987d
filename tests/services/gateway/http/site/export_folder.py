"""A folder as the build leaves it, with compressed files beside those that are worth it."""

import gzip
from pathlib import Path

import cramjam

_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<script type="module" src="/assets/app-0cz1d0mv5g_q7.js"></script></head>
<body><h1>{title}</h1></body></html>
"""
CHUNK = "/assets/app-0cz1d0mv5g_q7.js"
# By path in the folder. Frameworks have odd names at times.
TEXTS = {
    "index.html": _PAGE.format(title="Today"),
    "clients/index.html": _PAGE.format(title="Clients"),
    "client/index.html": _PAGE.format(title="Client"),
    "404.html": _PAGE.format(title="No such page"),
    "index.txt": "0:payload\n" * 50,
    "clients/__next.!KGFwcCk.__PAGE__.txt": "1:payload\n",
    CHUNK[1:]: "console.log('RealtorOS');\n" * 100,
    "assets/style-2_fxnk36s8uq_.css": "body{margin:0}\n" * 100,
    "assets/text.woff2": "wOF2",
    "favicon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "manifest.webmanifest": '{"name": "RealtorOS"}',
    ".env": "SECRET=1",
    ".git/config": "[core]",
}
_NOT_COMPRESSED = (".woff2", ".svg", ".env", "config")


def make_export(folder: Path) -> Path:
    """Write the files below the folder and return where: `out`, beside a file `secret.txt`."""
    out = folder / "out"
    for name, text in TEXTS.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if not name.endswith(_NOT_COMPRESSED):
            path.with_name(f"{path.name}.br").write_bytes(cramjam.brotli.compress(text.encode()))
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / "secret.txt").write_text("not to be read")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "secret.txt").write_text("not to be read")
    (out / "secret.txt").symlink_to(folder / "secret.txt")
    (out / "elsewhere").symlink_to(folder / "elsewhere")
    (out / "round").symlink_to(out)
    (out / "same.svg").symlink_to(out / "favicon.svg")
    return out
