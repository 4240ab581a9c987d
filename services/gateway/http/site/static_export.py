"""The files of a static export, a folder with an `index.html` for each page, read into memory.

What may be asked for is what was found in the folder, by its exact address: a path that is asked
for never becomes the path of a file.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

_HTML: Final = "text/html"
_NOT_FOUND: Final = "/404.html"
_INDEX: Final = "index.html"
# The best first; files of these names stand beside the file that they are made of.
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}
# The build gives them another name when their content changes.
_HASHED: Final = "/assets/"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
# Stored, but not shown before the gateway was asked whether it is still the same.
_ASK_FIRST: Final = "no-cache"
# A page runs the scripts and has the styles that are files beside it, and no others. A frame with
# `srcdoc`, which could show an email, needs no `frame-src`, and has this same policy.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_OF_PAGES: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# Python's own table, not the machine's, and what it lacks.
_TYPES: Final = MimeTypes()
_TYPES.add_type("text/javascript", ".js")
_TYPES.add_type("font/woff2", ".woff2")
_TYPES.add_type("application/manifest+json", ".webmanifest")


@dataclass(frozen=True, slots=True)
class Content:
    """A file in one coding, with the headers that describe it."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def etag(self) -> str:
        """Its strong tag (RFC 9110, 8.8.3), another one in each coding."""
        return self.headers["ETag"]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file as it is, and compressed by content coding, the best first."""

    media_type: str
    plain: Content
    compressed: Mapping[str, Content]


@dataclass(frozen=True, slots=True)
class StaticExport:
    """The export: files by the path of their address, and the page that says that there is none."""

    files: Mapping[str, ExportedFile]
    not_found: ExportedFile | None


def read_export(folder: Path) -> StaticExport | None:
    """Return the export in the folder; None, and a warning, where no `index.html` is in it.

    Hidden files, and links that lead out of the folder, are not part of it. Raises OSError.
    """
    root = folder.resolve()
    if not (root / _INDEX).is_file():
        log.warning("pages_missing", folder=str(folder))
        return None
    found = {
        f"/{path.relative_to(root).as_posix()}": path
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.resolve().is_relative_to(root) and not _is_hidden(path, root)
    }
    made = {name + ending for name in found for ending in _CODINGS.values()}
    files = {
        name.removesuffix(_INDEX) if name.endswith(f"/{_INDEX}") else name: _read(name, found)
        for name in found
        if name not in made
    }
    not_found = files.pop(_NOT_FOUND, None)
    log.info("pages_read", files=len(files))
    return StaticExport(files, not_found)


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _read(name: str, found: Mapping[str, Path]) -> ExportedFile:
    media_type = _TYPES.guess_type(name)[0] or "application/octet-stream"
    plain = found[name].read_bytes()
    headers = {
        "Cache-Control": _FOR_EVER if name.startswith(_HASHED) else _ASK_FIRST,
        "Vary": "Accept-Encoding",
    }
    if media_type == _HTML:
        headers |= _OF_PAGES
    compressed = {
        coding: _content(found[name + ending].read_bytes(), headers | {"Content-Encoding": coding})
        for coding, ending in _CODINGS.items()
        if name + ending in found
    }
    return ExportedFile(media_type, _content(plain, headers), compressed)


def _content(body: bytes, headers: dict[str, str]) -> Content:
    return Content(body, headers | {"ETag": f'"{hashlib.sha256(body).hexdigest()[:24]}"'})
