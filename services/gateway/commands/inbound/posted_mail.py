"""An email as SendGrid's Inbound Parse posts it: a signed form, of which little is kept.

Raw (“POST the raw, full MIME message”), or as SendGrid has parsed it: then its headers and texts
make an email again. Attachments are read past, whatever their size.
"""

# The multipart package carries few types.
# mypy: disable-error-code="no-untyped-call"
from collections.abc import AsyncIterator, Mapping
from typing import Final

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from services.gateway.commands.inbound.mail import READ_BYTES, Unreadable
from services.gateway.commands.sendgrid_signature import SignedBody, VerificationKey

# The email itself; or its headers and texts; to whom it was addressed in fact.
_FIELDS: Final = ("email", "headers", "text", "html", "envelope")


async def read_form(
    key: VerificationKey, headers: Mapping[str, str], body: AsyncIterator[bytes]
) -> dict[str, bytes]:
    """Return what is kept of the fields, each cut at 1 MB.

    Raises InvalidWebhookSignature, or Unreadable for what is no such form.
    """
    signed = SignedBody(key, headers)
    form = _Form(headers.get("content-type", ""))
    async for part in body:
        signed.update(part)
        form.read(part)
    signed.verify()
    return form.end()


def raw_mail(form: Mapping[str, bytes]) -> bytes:
    """Return the email. Raises Unreadable where the form has none."""
    if raw := form.get("email"):
        return raw
    if not (headers := form.get("headers")):
        raise Unreadable("has neither `email` nor `headers`")
    kind, text = ("plain", form["text"]) if form.get("text") else ("html", form.get("html", b""))
    kept = b"\n".join(
        line
        for line in headers.replace(b"\r\n", b"\n").split(b"\n")
        if line.strip() and not line.lower().startswith((b"content-", b"mime-version"))
    )
    content_type = f"\nContent-Type: text/{kind}; charset=utf-8\n\n".encode()
    return kept + content_type + text


class _Form:
    """Reads a form part by part; an error is told once the signature is known to be right."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        self._fields: dict[str, bytearray] = {}
        self._field: bytearray | None = None
        self._error = "" if kind == "multipart/form-data" else "is no multipart/form-data"
        self._parser = PushMultipartParser(options.get("boundary") or "-", max_segment_count=1_000)

    def read(self, part: bytes) -> None:
        """Keep the beginning of the fields that are looked at."""
        if self._error:
            return
        try:
            for event in self._parser.parse(part):
                if isinstance(event, MultipartSegment):
                    self._field = None
                    if event.name in _FIELDS and event.name not in self._fields:
                        self._field = self._fields[event.name] = bytearray()
                elif event and self._field is not None:
                    self._field += event[: READ_BYTES - len(self._field)]
        except MultipartError as error:
            self._error = f"is no form: {error}"

    def end(self) -> dict[str, bytes]:
        """Return the fields. Raises Unreadable."""
        if not self._error:
            try:
                self._parser.close()
            except MultipartError as error:
                self._error = f"is no form: {error}"
        if self._error:
            raise Unreadable(self._error)
        return {name: bytes(value) for name, value in self._fields.items()}
