"""The transport that needs neither key nor network: a folder of files for any mail program.

A file under its final name is complete and on disk; it proves that the letter was sent.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from tempfile import mkstemp

from chassis.domain.errors import CallFailed
from services.mailer.transports.headers import Sender
from services.mailer.transports.mime import message_of
from services.mailer.transports.transport import OutgoingLetter


class Mailbox:
    """Writes each letter to `folder` as `<id>-<attempt>.eml` (RFC 5322)."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, outgoing: OutgoingLetter) -> str | None:
        """Write the letter unless it exists; return its Message-ID. Raises CallFailed."""
        return await asyncio.to_thread(self._put, outgoing)

    async def close(self) -> None:
        """Do nothing: there is nothing to release."""

    def _put(self, outgoing: OutgoingLetter) -> str:
        final = self._folder / f"{outgoing.id}-{outgoing.attempt}.eml"
        content = bytes(message_of(outgoing, self._sender))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not final.exists():
                _create_atomically(final, content)
        except OSError as error:
            # The system's reason without the path, which may name a person.
            raise CallFailed(f"the mailbox cannot be written: {error.strerror}") from None
        return self._sender.message_id(outgoing.id)


def _create_atomically(final: Path, content: bytes) -> None:
    """Create the file with all of its content, or not at all; never replace an existing one."""
    descriptor, name = mkstemp(prefix=".", suffix=".part", dir=final.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, final)
    finally:
        Path(name).unlink(missing_ok=True)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
